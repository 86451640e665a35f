// SPDX-License-Identifier: Apache-2.0
// Cells of the ECP5 that the simulation library of Yosys knows by their pins only, with few and wide
// ports: `boards.gates_ecp5` wraps them.
`timescale 1ns/1ps

// A block RAM as synthesis maps it. What one port reads while the other writes it is X.
module ram16k #(
	parameter [20479:0] INIT = 0,
	parameter WIDTH_A = 18, WIDTH_B = 18, WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL"
) (
	input clk_a, ce_a, we_a, input [13:0] ad_a, input [17:0] di_a, output [17:0] do_a,
	input clk_b, ce_b, we_b, input [13:0] ad_b, input [17:0] di_b, output [17:0] do_b
);
	// A port of 36 bits is the whole RAM's width: port A writes, port B reads.
	reg [8:0] bytes [0:2047];
	reg [17:0] out_a = 0;
	reg [35:0] out_b = 0;
	assign do_a = WIDTH_B == 36 ? out_b[17:0] : out_a;
	assign do_b = WIDTH_B == 36 ? out_b[35:18] : out_b[17:0];

	integer n, k;
	initial for (n = 0; n < 2048; n = n + 1) bytes[n] = INIT[n / 2 * 20 + n % 2 * 9 +: 9];

	// First byte of a word, how many there are, and which bits of a byte a narrow word takes.
	function [10:0] first(input [13:0] ad, input integer width);
		first = width == 36 ? {ad[13:5], 2'b0} : width == 18 ? {ad[13:4], 1'b0} : ad[13:3];
	endfunction
	function [8:0] taken(input [13:0] ad, input integer width);
		taken = width >= 9 ? 9'h1ff : ((1 << width) - 1) << (ad[2:0] & ~(width - 1));
	endfunction
	function integer count(input integer width);
		count = width < 9 ? 1 : width / 9;
	endfunction

	// Bits of byte ``at`` that a port writes.
	function [8:0] written(input [10:0] at, input on, input [13:0] ad, input integer width);
		reg [10:0] start;
		begin
			start = first(ad, width);
			written = 0;
			if (on !== 0 && at >= start && at < start + count(width)
			    && (width < 18 || ad[at - start]))
				written = taken(ad, width);
		end
	endfunction
	wire on_a = ce_a & we_a, on_b = ce_b & we_b;

	task store(input [13:0] ad, input integer width, input [35:0] di);
		reg [8:0] mask, value;
		for (k = 0; k < count(width); k = k + 1) begin
			mask = written(first(ad, width) + k, 1'b1, ad, width);
			value = width < 9 ? di << (ad[2:0] & ~(width - 1)) : di >> 9 * k;
			bytes[first(ad, width) + k] <= bytes[first(ad, width) + k] & ~mask | value & mask;
		end
	endtask

	function [35:0] load(input [13:0] ad, input integer width, input other,
	                     input [13:0] other_ad, input integer other_width);
		reg [8:0] mask, value;
		begin
			load = 0;
			for (n = 0; n < count(width); n = n + 1) begin
				mask = 0;
				if (other !== 0)
					mask = written(first(ad, width) + n, other, other_ad, other_width)
					       & taken(ad, width);
				value = bytes[first(ad, width) + n];
				value = (value & ~mask) | (mask & 9'bx);
				load = load | (width < 9 ? (value & taken(ad, width)) >> (ad[2:0] & ~(width - 1))
				               : value << 9 * n);
			end
		end
	endfunction

	always @(posedge clk_a) if (ce_a === 1) begin
		if (WIDTH_A != 36 && (we_a !== 1 || WRITEMODE_A == "READBEFOREWRITE"))
			out_a <= load(ad_a, WIDTH_A, on_b, ad_b, WIDTH_B);
		if (we_a !== 0) store(ad_a, WIDTH_A, {di_b, di_a});
	end
	always @(posedge clk_b) if (ce_b === 1) begin
		if (we_b !== 1 || WRITEMODE_B == "READBEFOREWRITE")
			out_b <= load(ad_b, WIDTH_B, on_a, ad_a, WIDTH_A);
		if (we_b !== 0) store(ad_b, WIDTH_B, di_b);
	end
	initial if (WRITEMODE_A == "WRITETHROUGH" || WRITEMODE_B == "WRITETHROUGH")
		$display("the model of the RAM does not write through");
endmodule

module multiplier(input [17:0] a, b, input signed_a, signed_b, output [35:0] p);
	assign p = $signed({signed_a & a[17], a}) * $signed({signed_b & b[17], b});
endmodule

// This PLL locks after 20 us.
module EHXPLLL #(
	parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 1, CLKOP_CPHASE = 0, CLKOP_ENABLE = "",
	          FEEDBK_PATH = ""
) (
	input CLKI, CLKFB, RST, STDBY, PLLWAKESYNC, ENCLKOP, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP,
	      PHASELOADREG,
	output reg CLKOP, output reg LOCK
);
	initial begin
		CLKOP = 0;
		LOCK = 0;
		forever #(500.0 / (25.0 * CLKFB_DIV / CLKI_DIV)) CLKOP = ~CLKOP;
	end
	initial #20000 LOCK = 1;
endmodule
