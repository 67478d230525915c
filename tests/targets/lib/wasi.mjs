// wasi.mjs PROGRAM.wasm ARGUMENTS...: runs a WASI program under node. It sees the folder that it is started in and
// those of arguments that begin with a slash.
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { WASI } from "node:wasi";

const [program, ...args] = process.argv.slice(2);
const preopens = { ".": "." };
for (const arg of args)
	if (arg.startsWith("/"))
		preopens[dirname(arg)] = dirname(arg);
const wasi = new WASI({ version: "preview1", args: [program, ...args], preopens, returnOnExit: true });
const module = await WebAssembly.compile(await readFile(program));
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
process.exitCode = wasi.start(await WebAssembly.instantiate(module, imports));
