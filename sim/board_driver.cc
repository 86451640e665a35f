// SPDX-License-Identifier: Apache-2.0
// Clocks a compiled design with a serial line, and speaks 8N1 with it. With LINE_OF_BITS the design
// has the pins of the line; otherwise this file takes the place of its UART, byte by byte. With WAVES
// it can write what all signals do.

#include "layouts.h"
#include "memories.h"
#include "core.cc"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <deque>

#ifdef WAVES
#include <cxxrtl/cxxrtl_vcd.h>
#endif

namespace {

bool bit(const cxxrtl::value<1> &v) { return v.data[0]; }
bool bit(const cxxrtl::wire<1> &w) { return w.curr.data[0]; }
template<size_t N> uint32_t bits(const cxxrtl::value<N> &v) { return v.data[0]; }
template<size_t N> uint32_t bits(const cxxrtl::wire<N> &w) { return w.curr.data[0]; }

const int64_t NEVER = INT64_MAX;

struct Board {
	cxxrtl_design::p_top top;
	double bit_time;		// clock cycles of a bit to the board
	int64_t divisor;		// the same of a bit from the board
	int64_t now = 0;		// clock cycles
	bool rests = false;		// nothing happens until a byte is written
	std::deque<uint8_t> to_board, from_board;

	// A clock cycle. The falling edge changes nothing, and is left out. Returns whether a register or
	// a memory has changed. Outputs are those before the edge.
	bool clock() {
		top.prev_p_clk.set<uint32_t>(0);
		top.p_clk.set<uint32_t>(1);
		top.eval();
		bool changed = top.commit();
#ifdef WAVES
		if (waves)
			sample();
#endif
		return changed;
	}

#ifdef WAVES
	std::FILE *waves = nullptr;
	double period = 0;			// of the clock, in ns
	cxxrtl::debug_items items;
	cxxrtl::vcd_writer writer;

	bool record(const char *path, double nanoseconds) {
		waves = std::fopen(path, "wb");
		period = nanoseconds;
		top.debug_info(&items, /*scopes=*/nullptr, "");
		writer.timescale(1, "ns");
		writer.add_without_memories(items);
		return waves != nullptr;
	}

	// All signals after a rising edge. The falling edge comes half a cycle later.
	void sample() {
		top.prev_p_clk.set<uint32_t>(1);
		top.eval();
		writer.sample(uint64_t(std::llround(now * period)));
		top.p_clk.set<uint32_t>(0);
		writer.sample(uint64_t(std::llround((now + 0.5) * period)));
		write();
	}

	bool write() {
		bool whole = std::fwrite(writer.buffer.data(), 1, writer.buffer.size(), waves)
			== writer.buffer.size();
		writer.buffer.clear();
		return whole;
	}

	// Returns whether the file is whole.
	bool end() {
		bool whole = write() && !std::ferror(waves);
		whole &= std::fclose(waves) == 0;
		waves = nullptr;
		return whole;
	}
#endif

#ifdef LINE_OF_BITS
	uint32_t shift = 0;			// bits still to send of this byte, lowest first
	int left = 0;				// how many
	double edge = 0;			// when the line to the board changes next
	int taken = -1;				// line from the board: -1 idle, else bits taken
	int64_t sample = 0;			// when to take the next one
	uint32_t byte = 0;

	void start() { top.p_rx.set<uint32_t>(1); }

	bool idle() const { return to_board.empty() && left == 0 && now >= edge; }

	void run(int64_t) {
		if (now >= edge) {
			if (left == 0 && !to_board.empty()) {
				shift = 0x200u | uint32_t(to_board.front()) << 1;	// stop bit, byte, start bit
				left = 10;
				edge = std::max(edge, double(now - 1));
				to_board.pop_front();
			}
			if (left > 0) {
				top.p_rx.set<uint32_t>(shift & 1);
				shift >>= 1;
				left--;
				edge += bit_time;
			}
		}
		rests = !clock() && idle() && taken < 0;
		receive(bit(top.p_tx));
		now++;
	}

	void receive(bool level) {
		if (taken < 0) {
			if (!level) {
				taken = 0;
				byte = 0;
				sample = now + divisor + divisor / 2;
			}
		} else if (now == sample) {
			sample += divisor;
			if (taken < 8) {
				byte |= uint32_t(level) << taken++;
			} else {
				if (level)
					from_board.push_back(byte);
				taken = -1;
			}
		}
	}
#else
	int64_t comes = NEVER;		// when the byte at hand has come to the board
	int64_t free = 0;			// when the line to the board takes the next byte
	int64_t ready = 0;			// when the board may send the next byte
	int64_t leaves = NEVER;		// when its last byte has come here
	uint8_t last = 0;

	void start() {}

	bool idle() const { return to_board.empty() && comes == NEVER && now >= free; }

	// Runs to the next cycle in which anything can happen, at most to `end`.
	void run(int64_t end) {
		if (comes == NEVER && !to_board.empty()) {
			comes = std::max(now, free) + int64_t(9.5 * bit_time);
			free = std::max(now, free) + int64_t(10 * bit_time);
		}
		if (now >= leaves) {
			from_board.push_back(last);
			leaves = NEVER;
			return;
		}
		bool valid = now >= comes;
		if (valid) {
			uint8_t byte = to_board.front();
			top.p_i__line____payload.set<uint32_t>(byte | uint32_t(byte == 0) << 9);
		}
		bool takes = now >= ready;
		top.p_i__line____valid.set<uint32_t>(valid);
		top.p_o__line____ready.set<uint32_t>(takes);
		bool changed = clock();
		if (valid && bit(top.p_i__line____ready)) {
			to_board.pop_front();
			comes = NEVER;
			changed = true;
		}
		if (takes && bit(top.p_o__line____valid)) {
			last = bits(top.p_o__line____payload);
			leaves = now + 10 * divisor;
			ready = leaves + 1;
			changed = true;
		}
		now++;
		rests = !changed && takes && idle();
		if (changed)
			return;
		// The design rests, until the line brings or takes something.
		int64_t next = std::min({end, comes, leaves, ready >= now ? ready : NEVER});
		if (next != NEVER)
			now = std::max(now, next);
	}
#endif
};

}  // namespace

extern "C" {

// `slow` is how much longer a bit to the board takes than it should, in parts of 1.
Board *board_new(int64_t divisor, double slow) {
	Board *board = new Board;
	board->divisor = divisor;
	board->bit_time = double(divisor) * (1 + slow);
	board->start();
	return board;
}

void board_free(Board *board) { delete board; }

#ifdef WAVES
// Begins to write waves. With no path, ends it. Returns whether that went well.
int board_waves(Board *board, const char *path, double period) {
	return path ? board->record(path, period) : board->end();
}
#endif

int64_t board_now(const Board *board) { return board->now; }

void board_write(Board *board, const uint8_t *data, int64_t size) {
	board->rests = false;
	board->to_board.insert(board->to_board.end(), data, data + size);
}

// Clocks until `size` bytes have come, or `cycles` have passed with the line to the board idle. With
// 0 cycles, until `size` bytes have come or the board rests. Moves up to `size` bytes to `data`, and
// returns how many.
int64_t board_read(Board *board, uint8_t *data, int64_t size, int64_t cycles) {
	int64_t end = NEVER;
	while (int64_t(board->from_board.size()) < size) {
		if (!board->idle())
			end = NEVER;
		else if (end == NEVER && cycles > 0)
			end = board->now + cycles;
		if (board->now >= end || (cycles == 0 && board->rests))
			break;
		board->run(end);
	}
	int64_t count = 0;
	for (; count < size && !board->from_board.empty(); count++) {
		data[count] = board->from_board.front();
		board->from_board.pop_front();
	}
	return count;
}

}  // extern "C"
