#!/bin/sh
# The classifier for 64-bit Windows, built by MinGW-w64 and run by Wine: the same answers and bytes; names beyond ASCII and
# beyond 260 characters, wildcards, the console; which functions of which system libraries it needs; and that no move
# of a wide register wants an aligned stack, which Windows does not give (GCC bug 54412).
set -eu
. tests/targets/lib/target.sh
export WINEPREFIX="$BUILD/wine" WINEDEBUG=-all DISPLAY= LC_ALL=C.UTF-8
target x86_64-windows
DUMP=x86_64-w64-mingw32-objdump

# can_run FLAGS: whether this CPU has the instructions
can_run() {
	for f in $1; do
		case $f in
		-mf16c) grep -qw f16c /proc/cpuinfo || return 1 ;;
		-m*) grep -qw "${f#-m}" /proc/cpuinfo || return 1 ;;
		esac
	done
}
levels=-O2
[ "${FULL:-0}" = 1 ] && levels="-O1 -O2 -O3"
key variant | while read -r name macro flags; do
	can_run "$flags" || { echo "not run: $name on Windows (this CPU has none)"; continue; }
	for o in $levels; do
		digest "$name $o" $X $o -ffp-contract=fast -D$macro $flags || exit 1
	done
done || exit 1

PICTURES=12
classifier
for isa in $(key variant | cut -d' ' -f1); do
	flags=$(key variant | sed -n "s/^$isa [^ ]* *//p")
	can_run "$flags" || { echo "not run: $isa on Windows (this CPU has none)"; continue; }
	rm -rf "$W/npy"
	$RUN "$P" --isa $isa --out "$W/npy" "$W/x.npy" > /dev/null || fail "--isa $isa"
	cmp "$W/exact/logits.npy" "$W/npy"/*.npy || fail "--isa $isa: not the bytes of run --exact"
done
echo "ok: each variant, $T"

# ---- names

D="$W/größe 細胞 😀"
long=$D
for i in 1 2 3 4 5 6 7 8; do
	long="$long/a folder whose name has forty-four characters"
done
mkdir -p "$long"
cp examples/pictures/01_neutrophil.png "$D/é.png"
cp examples/pictures/02_eosinophil.jpg "$long/ö.jpg"
cp examples/pictures/02_eosinophil.jpg "$D/x.jpg"
$RUN "$P" --csv --top 1 "$D" | cut -d, -f1,2 > "$W/rows" || fail "a folder beyond ASCII"
printf '%s\n' file,answer "$D/x.jpg,eosinophil" "$D/é.png,neutrophil" | cmp - "$W/rows" || fail "names beyond ASCII"
$RUN "$P" --top 1 "$D/*.png" > "$W/rows" || fail "a wildcard"
has "$W/rows" "é.png: neutrophil"
$RUN "$P" --json "$long" > "$W/rows" || fail "a path of ${#long} characters"
json "$W/rows"
has "$W/rows" 'ö.jpg", "answer": "eosinophil"'
$RUN "$P" --top 1 - < "$D/é.png" > "$W/rows" || fail "standard input"
has "$W/rows" "-: neutrophil"
(cd "$D" && $RUN "$P" --out "$long/out ü" x.jpg > /dev/null) || fail "--out beyond ASCII"
[ -s "$long/out ü/x.jpg.npy" ] || fail "--out wrote nothing"
got=0
$RUN "$P" "$D/fehlt ß.png" > "$W/rows" 2>&1 || got=$?
[ $got = 1 ] || fail "a missing file: exit code $got"
has "$W/rows" "fehlt ß.png: error: cannot be opened: No such file or directory"
if command -v script > /dev/null; then
	script -qec "$RUN '$P' --top 1 '$D/é.png'" /dev/null < /dev/null > "$W/rows" || fail "on a console"
	has "$W/rows" "é.png: neutrophil"
	echo "ok: a console, $T"
else
	echo "not run: a console (needs script)"
fi
echo "ok: names beyond ASCII and 260 characters, $T"

# ---- weights beside the program, two threads

code 0 "$AMPOULE" compile $M/rcmnet_small.onnx -o "$W/plain" --name rcmnet --weights file --threads 2 --target $T
rm -r "$W/plain/third_party"
make -s -j2 -C "$W/plain" CC="$X" CFLAGS=-O2 > "$W/make.log" 2>&1 || { cat "$W/make.log"; fail "with threads"; }
for n in 1 2; do
	rm -rf "$W/npy"
	(cd / && $RUN "$W/plain/rcmnet$EXE" --threads $n --raw --out "$W/npy" "$W/x.npy" > /dev/null) || fail "$n threads"
	cmp "$W/exact/logits.npy" "$W/npy"/*.npy || fail "$n threads: not the bytes of run --exact"
done
echo "ok: mapped weights, 1 and 2 threads, $T"

# ---- what it needs of the system: functions that Windows 7 SP1 has

cat > "$W/known" <<'END'
KERNEL32.dll AcquireSRWLockExclusive CloseHandle CreateDirectoryW CreateFileMappingW CreateFileW CreatePipe CreateThread
DeleteCriticalSection DuplicateHandle EnterCriticalSection FindClose FindFirstFileW FindNextFileW GetConsoleMode
GetCurrentProcess GetFileAttributesW GetFileSizeEx GetFullPathNameW GetLastError GetModuleFileNameW GetStartupInfoA
InitializeConditionVariable InitializeCriticalSection InitializeSRWLock IsDBCSLeadByteEx LeaveCriticalSection
MapViewOfFile MultiByteToWideChar QueryPerformanceCounter QueryPerformanceFrequency ReadFile ReleaseSRWLockExclusive
SetUnhandledExceptionFilter Sleep SleepConditionVariableSRW SwitchToThread TlsGetValue UnmapViewOfFile VirtualProtect
VirtualQuery WaitForSingleObject WakeAllConditionVariable WideCharToMultiByte WriteConsoleW
msvcrt.dll __C_specific_handler ___lc_codepage_func ___mb_cur_max_func __getmainargs __initenv __iob_func __set_app_type
__setusermatherr __wgetmainargs _acmdln _aligned_free _aligned_malloc _amsg_exit _assert _cexit _close _commode _dup2
_errno _fileno _fmode _get_osfhandle _initterm _lock _onexit _open_osfhandle _setjmp _setmode _unlock _wfopen abort
atoi bsearch calloc exit fclose ferror fflush fprintf fputc fputs fread free fseek ftell fwrite getenv localeconv
longjmp malloc memcmp memcpy memmove memset qsort realloc rewind signal strcat strchr strcmp strcpy strerror strlen
strncmp strpbrk strrchr vfprintf wcscat wcscpy wcslen wcsncmp
END
tr ' ' '\n' < "$W/known" | sort > "$W/known.sorted"
for exe in "$P" "$W/plain/rcmnet$EXE"; do
	$DUMP -p "$exe" > "$W/headers"
	sed -n 's/^	DLL Name: //p' "$W/headers" > "$W/libraries"
	[ "$(sort "$W/libraries" | tr '\n' ' ')" = "KERNEL32.dll msvcrt.dll " ] ||
		{ cat "$W/libraries"; fail "other libraries than KERNEL32 and msvcrt"; }
	# rows of a table: address, hint, name
	sed -n '/^	DLL Name/,/^$/s/^	[0-9a-f]*	* *[0-9]*  *\([A-Za-z_][A-Za-z0-9_]*\) *$/\1/p' "$W/headers" | sort -u > \
		"$W/needed"
	[ "$(wc -l < "$W/needed")" -gt 40 ] || fail "the table of imports is not understood"
	comm -23 "$W/needed" "$W/known.sorted" > "$W/new"
	[ ! -s "$W/new" ] || { cat "$W/new"; fail "functions that this test does not know: are they in Windows 7?"; }
	major=$(sed -n 's/^MajorSubsystemVersion[ 	]*//p' "$W/headers")
	minor=$(sed -n 's/^MinorSubsystemVersion[ 	]*//p' "$W/headers")
	[ $((major * 100 + minor)) -le 601 ] || fail "wants Windows $major.$minor, and Windows 7 is 6.1"
done
echo "ok: $(wc -l < "$W/needed") functions of KERNEL32 and msvcrt, $T"

# ---- no aligned move between a register of 32 or 64 bytes and memory that the stack pointer or its frame addresses

aligned() {
	$DUMP -d --no-show-raw-insn "$1" |
		grep -E '[[:space:]]vmov(ap[sd]|dqa(32|64)?|ntp[sd]|ntdqa?)[[:space:]].*%[yz]mm' | grep -E '\(%r(sp|bp)' || true
}
for exe in "$P" "$W/plain/rcmnet$EXE"; do
	aligned "$exe" > "$W/moves"
	[ ! -s "$W/moves" ] || { head -5 "$W/moves"; fail "$(wc -l < "$W/moves") moves want an aligned stack"; }
	$DUMP -d --no-show-raw-insn "$exe" | grep -qE 'vmovups.*%ymm.*\(%r(sp|bp)' || fail "the disassembly shows no moves at all"
done
# what the search and the assembler's flag are worth: moves as a gcc without Debian's patch for the bug writes them
printf '\tvmovaps %%ymm1, 32(%%rsp)\n\tvmovdqa64 64(%%rbp), %%zmm2\n\tvmovapd -32(%%rbp), %%ymm3\n' > "$W/moves.s"
$X -c -o "$W/moves.o" "$W/moves.s"
[ "$(aligned "$W/moves.o" | wc -l)" = 3 ] || fail "the search for aligned moves finds none where there are three"
$X $(key cflags) -c -o "$W/moves.o" "$W/moves.s"
[ "$(aligned "$W/moves.o" | wc -l)" = 0 ] || fail "the assembler's flag leaves aligned moves"
echo "ok: no move of a wide register wants an aligned stack, $T"

libraries
