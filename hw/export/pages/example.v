// SPDX-License-Identifier: Apache-2.0
//
// {{ name }}_tb: sends {{ tokens | length }} tokens to {{ name }} and holds its {{ answers | length }} results to the ones that
// Spikewright's integer model gives. From result {{ calm }} on, which begins with a RESET, tokens have gaps
// and results wait. It ends with a status that is not 0 if a result differs or is missing. Run it with
//
//   iverilog -g2012 -o example {{ name }}.v {{ name }}_tb.v && vvp -n example

`timescale 1ns/1ps

module {{ name }}_tb;
  localparam TOKENS = {{ tokens | length }};
  localparam STEPS  = {{ answers | length }};
  localparam CALM   = {{ calm }};  // results before the gaps

  reg clk;
  initial clk = 0;
  always #5 clk = ~clk;

{% set width = {} %}
{% for port in ports %}{% set _ = width.update({port.name: port.width - 1}) %}{% endfor %}
  wire i__ready, o__valid, busy;
  wire [{{ width["o__payload"] }}:0] o__payload;
  wire [{{ width["spike"] }}:0] spike;

  // This bench does not look at the monitors.
  wire unused = &{spike, busy};

  // Tokens, as i__payload has them, and results, as o__payload has them.
  reg [{{ width["i__payload"] }}:0] token [0:TOKENS - 1];
  reg [{{ width["o__payload"] }}:0] answer [0:STEPS - 1];
  integer sent, taken, wrong, gap;
  reg [2:0] beat;
  wire o__ready = taken < CALM || beat == 0;
  initial begin
    beat = 0;
    gap = 0;
    sent = 0;
    taken = 0;
    wrong = 0;
  end
{% if table %}

  // The weights, which are loaded byte by byte before the first token.
  localparam BYTES = {{ table.words * table.word_bytes }};
  reg [7:0] weights [0:BYTES - 1];
  initial $readmemh("{{ table.file }}", weights);
  integer loaded;
  initial loaded = 0;
  wire load__ready;
{% set fields = {} %}
{% for port in ports if port.name == "load__payload" %}{% for field in port.fields %}{% set _ = fields.update({field.name: field.width}) %}{% endfor %}{% endfor %}
  // The bits that are cut off are 0.
  /* verilator lint_off WIDTHTRUNC */
  wire [{{ fields.word - 1 }}:0] word = loaded / {{ table.word_bytes }};
  wire [{{ fields.byte - 1 }}:0] place = loaded % {{ table.word_bytes }};
  /* verilator lint_on WIDTHTRUNC */

  always @(posedge clk)
    if (loaded < BYTES && load__ready)
      loaded <= loaded + 1;
{% endif %}

  // Once i__valid is 1, it stays 1 until the token is taken.
  wire i__valid = {{ "loaded == BYTES && " if table }}sent < TOKENS && gap == 0;

  // The instance: this is how the core goes into a design.
  {{ name }} core (
    .clk        (clk),
    .rst        (1'b0),
{% if table %}
    .load__valid   (loaded < BYTES),
    .load__payload ({weights[loaded < BYTES ? loaded : 0], place, word}),
    .load__ready   (load__ready),
{% endif %}
    .i__valid   (i__valid),
    .i__payload (token[sent < TOKENS ? sent : 0]),
    .i__ready   (i__ready),
    .o__valid   (o__valid),
    .o__payload (o__payload),
    .o__ready   (o__ready),
    .spike      (spike),
    .busy       (busy)
  );

  always @(posedge clk) begin
    beat <= beat + 1;
    if (i__valid && i__ready) begin
      sent <= sent + 1;
      gap <= taken < CALM ? 0 : sent % 4;
    end else if (gap > 0)
      gap <= gap - 1;
    if (taken == STEPS) begin
      if (wrong > 0)
        $fatal(1, "%0d of %0d results differ", wrong, STEPS);
      $display("passed: %0d results as expected", STEPS);
      $finish;
    end else if (o__valid && o__ready) begin
      if (o__payload !== answer[taken]) begin
        $display("step %0d must answer %h, not %h", taken, answer[taken], o__payload);
        wrong <= wrong + 1;
      end
      taken <= taken + 1;
    end
  end

  // A core that hangs must not hang the simulator.
  initial #({{ 10 * patience }}) begin
    $fatal(1, "only %0d of %0d results came", taken, STEPS);
  end

  initial begin
{% for bits, told in tokens %}
    token[{{ loop.index0 }}] = {{ width["i__payload"] + 1 }}'h{{ "%x" | format(bits) }}; // {{ told }}
{% endfor %}
{% for bits, told in answers %}
    answer[{{ loop.index0 }}] = {{ width["o__payload"] + 1 }}'h{{ "%x" | format(bits) }}; // {{ told }}
{% endfor %}
  end
endmodule
