// cells.cpp - a model called from C++: RAII around the C interface, and two threads with one prepared model.
//
// In:  nothing; each thread asks about its own seeded noise.
// Out: the most probable class of each; exit code 1 if the threads' bytes differ from those of a single one.
#include <cstdio>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "rcmnet.h"

// Memory aligned as the model wants it.
class Block {
public:
	explicit Block(std::int64_t bytes)
		: p_(::operator new(static_cast<std::size_t>(bytes) + 1, std::align_val_t{AMP_ALIGN})) {}
	~Block() { ::operator delete(p_, std::align_val_t{AMP_ALIGN}); }
	Block(const Block &) = delete;
	Block &operator=(const Block &) = delete;
	void *get() const { return p_; }

private:
	void *p_;
};

// Any model that Ampoule emitted, through its description: prepared once, read only afterwards.
class Model {
public:
	explicit Model(const amp_model &m) : m_(m), state_(m.state_bytes), prepared_(m.prepared_bytes)
	{
		check(m.prepare(state_.get(), m.weights, m.prepared_bytes ? prepared_.get() : nullptr, nullptr, -1));
	}
	// One input, one output of float32; called from any thread.
	std::vector<float> operator()(const std::vector<float> &x) const
	{
		if (x.size() * sizeof(float) != static_cast<std::size_t>(m_.in[0].bytes))
			throw std::invalid_argument("the input has the wrong size");
		Block arena(m_.arena_bytes);
		std::vector<float> y(static_cast<std::size_t>(m_.out[0].bytes) / sizeof(float));
		const void *in[] = {x.data()};
		void *out[] = {y.data()};
		check(m_.run(state_.get(), arena.get(), in, out));
		return y;
	}
	std::size_t input_size() const { return static_cast<std::size_t>(m_.in[0].bytes) / sizeof(float); }
	std::string label(std::size_t i) const { return m_.labels[i]; }

private:
	static void check(amp_status s)
	{
		if (s != AMP_OK)
			throw std::runtime_error("the model failed with status " + std::to_string(s));
	}
	const amp_model &m_;
	Block state_, prepared_;
};

static std::vector<float> noise(std::size_t n, std::uint32_t seed)
{
	std::vector<float> x(n);
	for (float &v : x) {
		seed = seed * 1664525u + 1013904223u;
		v = static_cast<float>(seed >> 8) / 8388608.0f - 1.0f;
	}
	return x;
}

int main()
try {
	const Model model(rcmnet_model);
	const std::vector<std::vector<float>> x = {noise(model.input_size(), 1), noise(model.input_size(), 2)};
	std::vector<std::vector<float>> y(2);
	std::thread first([&] { y[0] = model(x[0]); }), second([&] { y[1] = model(x[1]); });
	first.join();
	second.join();
	for (std::size_t t = 0; t < 2; t++) {
		std::size_t best = 0;
		for (std::size_t i = 1; i < y[t].size(); i++)
			best = y[t][i] > y[t][best] ? i : best;
		std::printf("thread %zu: %s, logit %.9g\n", t, model.label(best).c_str(), static_cast<double>(y[t][best]));
		const std::vector<float> alone = model(x[t]);
		if (std::memcmp(alone.data(), y[t].data(), alone.size() * sizeof(float)) != 0) {
			std::fprintf(stderr, "not the same bytes\n");
			return 1;
		}
	}
	return 0;
} catch (const std::exception &e) {
	std::fprintf(stderr, "%s\n", e.what());
	return 1;
}
