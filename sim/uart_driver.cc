// SPDX-License-Identifier: Apache-2.0
// Clocks a compiled design whose pins are a serial line, and speaks 8N1 with it.

#include "core.cc"

#include <cstdint>
#include <deque>

namespace {

struct Board {
	cxxrtl_design::p_top top;
	int64_t divisor;	// clock cycles per bit
	std::deque<uint8_t> to_board, from_board;
	// line to the board: bits still to send of this byte, lowest first, and cycles left of this one
	uint32_t shift = 0;
	int bits = 0;
	int64_t hold = 0;
	// line from the board: -1 idle, else bits taken; cycles until the next sample
	int taken = -1;
	int64_t wait = 0;
	uint32_t byte = 0;

	void send() {
		if (hold > 0) {
			hold--;
			return;
		}
		if (bits == 0 && !to_board.empty()) {
			shift = 0x200u | uint32_t(to_board.front()) << 1;	// stop bit, byte, start bit
			bits = 10;
			to_board.pop_front();
		}
		bool level = true;
		if (bits > 0) {
			level = shift & 1;
			shift >>= 1;
			bits--;
			hold = divisor - 1;
		}
		top.p_rx.set<uint32_t>(level);
	}

	void receive(bool level) {
		if (taken < 0) {
			if (!level) {
				taken = 0;
				byte = 0;
				wait = divisor + divisor / 2;
			}
		} else if (--wait == 0) {
			if (taken == 8) {
				if (level)
					from_board.push_back(byte);
				taken = -1;
				return;
			}
			byte |= uint32_t(level) << taken++;
			wait = divisor;
		}
	}
};

bool level(const cxxrtl::value<1> &v) { return v.data[0]; }
bool level(const cxxrtl::wire<1> &w) { return w.curr.data[0]; }

}  // namespace

extern "C" {

Board *board_new(int64_t divisor) {
	Board *board = new Board;
	board->divisor = divisor;
	board->top.p_rx.set<uint32_t>(1);
	return board;
}

void board_free(Board *board) { delete board; }

void board_write(Board *board, const uint8_t *data, int64_t size) {
	board->to_board.insert(board->to_board.end(), data, data + size);
}

// Clocks until `size` bytes have come or `cycles` have passed, the line to the board idle; moves
// up to `size` bytes to `data` and returns how many.
int64_t board_read(Board *board, uint8_t *data, int64_t size, int64_t cycles) {
	while (int64_t(board->from_board.size()) < size && cycles > 0) {
		if (board->to_board.empty() && board->bits == 0)
			cycles--;
		board->send();
		board->top.p_clk.set<uint32_t>(0);
		board->top.step();
		board->top.p_clk.set<uint32_t>(1);
		board->top.step();
		board->receive(level(board->top.p_tx));
	}
	int64_t count = 0;
	for (; count < size && !board->from_board.empty(); count++) {
		data[count] = board->from_board.front();
		board->from_board.pop_front();
	}
	return count;
}

}  // extern "C"
