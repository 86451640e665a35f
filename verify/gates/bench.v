// SPDX-License-Identifier: Apache-2.0
// A host for the gates of an iCEBreaker top, or with ECP5 defined of an ULX3S: sends the frames in
// frames.hex one after the other, each when the one before is answered, and writes the bytes that
// come back to answers.txt.
`timescale 1ns/1ps

`ifndef ECP5
// The library knows the PLL by its pins only. This one locks after 20 us.
module SB_PLL40_PAD #(
	parameter FEEDBACK_PATH = "", DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0
) (
	input PACKAGEPIN, input RESETB, input BYPASS, output reg PLLOUTGLOBAL, output reg LOCK
);
	real half;
	initial begin
		PLLOUTGLOBAL = 0;
		LOCK = 0;
		half = 500.0 / (12.0 * (DIVF + 1) / (DIVR + 1) / (1 << DIVQ));
		forever #(half) PLLOUTGLOBAL = ~PLLOUTGLOBAL;
	end
	initial #20000 LOCK = 1;
endmodule
`endif

module bench;
	parameter BIT = 1000, BYTES = 1, FRAMES = 1;

	reg clk = 0;
	reg rx = 1;
	wire rx_pin = rx;
	wire clk_pin = clk;
	wire tx, led_lock, led_answer;
`ifdef ECP5
	localparam DARK = 0;
	always #20 clk = ~clk;
	top dut (.clk25_0__io(clk_pin), .uart_0__rx__io(rx_pin), .uart_0__tx__io(tx),
	         .led_0__io(led_lock), .led_1__io(led_answer));
`else
	localparam DARK = 1;
	always #41.6667 clk = ~clk;
	top dut (.clk12_0__io(clk_pin), .uart_0__rx__io(rx_pin), .uart_0__tx__io(tx),
	         .led_r_0__io(led_lock), .led_g_0__io(led_answer));
`endif

	reg [7:0] bytes [0:BYTES - 1];
	integer answered = 0, k, file;
	initial begin
		$readmemh("frames.hex", bytes);
`ifdef PLL
		#10000 if (led_lock !== DARK) $display("runs before its clock is steady");
`endif
		#40000 if (led_lock !== !DARK) $display("does not show that its clock is steady");
		for (k = 0; k < BYTES; k = k + 1) begin
			rx = 0;
			#(BIT) repeat (8) begin
				rx = bytes[k][0];
				bytes[k] = bytes[k] >> 1;
				#(BIT);
			end
			rx = 1;
			#(BIT) if (sent[k]) wait (answered == count[k]);
		end
		#(BIT) $fclose(file);
		$finish;
	end

	// Which bytes end a frame, and how many frames have ended.
	reg sent [0:BYTES - 1];
	integer count [0:BYTES - 1];
	integer n, ended = 0;
	initial #1 for (n = 0; n < BYTES; n = n + 1) begin
		ended = ended + (bytes[n] == 0);
		sent[n] = bytes[n] == 0;
		count[n] = ended;
	end

	reg [7:0] byte_in;
	integer bit_in;
	initial begin
		file = $fopen("answers.txt", "w");
		#40000 forever begin
			@(negedge tx) #(BIT / 2);
			for (bit_in = 0; bit_in < 8; bit_in = bit_in + 1)
				#(BIT) byte_in[bit_in] = tx;
			$fdisplay(file, "%02x", byte_in);
			if (byte_in == 0) answered = answered + 1;
		end
	end

	initial #(9000 * BIT * FRAMES) begin
		$display("not answered");
		$finish;
	end
endmodule
