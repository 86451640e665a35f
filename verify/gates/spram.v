// SPDX-License-Identifier: Apache-2.0
// The large RAM of an iCE40UP5K, always on. The model of Yosys clears its words in a loop when the
// power goes, and takes Yosys a minute to read.

module SB_SPRAM256KA (
    input [13:0] ADDRESS, input [15:0] DATAIN, input [3:0] MASKWREN,
    input WREN, CHIPSELECT, CLOCK, STANDBY, SLEEP, POWEROFF, output reg [15:0] DATAOUT);

reg [15:0] words [0:16383];

always @(posedge CLOCK)
    if (CHIPSELECT & WREN) begin
        if (MASKWREN[0]) words[ADDRESS][ 3: 0] <= DATAIN[ 3: 0];
        if (MASKWREN[1]) words[ADDRESS][ 7: 4] <= DATAIN[ 7: 4];
        if (MASKWREN[2]) words[ADDRESS][11: 8] <= DATAIN[11: 8];
        if (MASKWREN[3]) words[ADDRESS][15:12] <= DATAIN[15:12];
        DATAOUT <= 16'bx;
    end else if (CHIPSELECT)
        DATAOUT <= words[ADDRESS];

endmodule
