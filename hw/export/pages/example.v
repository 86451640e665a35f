// SPDX-License-Identifier: Apache-2.0
//
// {{ name }}_tb: sends {{ tokens | length }} tokens to {{ name }} and holds its {{ answers | length }} results to the ones that
// Spikewright's integer model gives. Run it with
//
//   iverilog -g2012 -o example {{ name }}.v {{ name }}_tb.v && vvp -n example

`timescale 1ns/1ps

module {{ name }}_tb;
  localparam TOKENS = {{ tokens | length }};
  localparam STEPS  = {{ answers | length }};

  reg clk;
  initial clk = 0;
  always #5 clk = ~clk;

{% set width = {} %}
{% for port in ports %}{% set _ = width.update({port.name: port.width - 1}) %}{% endfor %}
  wire i__ready, o__valid, busy;
  wire o__ready = 1'b1;
  wire [{{ width["o__payload"] }}:0] o__payload;
  wire [{{ width["spike"] }}:0] spike;

  // This bench does not look at the monitors.
  wire unused = &{spike, busy};

  // Tokens, as i__payload has them, and results, as o__payload has them.
  reg [{{ width["i__payload"] }}:0] token [0:TOKENS - 1];
  reg [{{ width["o__payload"] }}:0] answer [0:STEPS - 1];
  integer sent, taken, wrong;
  initial begin
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
{% set go = "loaded == BYTES && sent < TOKENS" if table else "sent < TOKENS" %}

  // The instance: this is how the core goes into a design.
  {{ name }} core (
    .clk        (clk),
    .rst        (1'b0),
{% if table %}
    .load__valid   (loaded < BYTES),
    .load__payload ({weights[loaded < BYTES ? loaded : 0], place, word}),
    .load__ready   (load__ready),
{% endif %}
    .i__valid   ({{ go }}),
    .i__payload (token[sent < TOKENS ? sent : 0]),
    .i__ready   (i__ready),
    .o__valid   (o__valid),
    .o__payload (o__payload),
    .o__ready   (o__ready),
    .spike      (spike),
    .busy       (busy)
  );

  always @(posedge clk) begin
    if ({{ go }} && i__ready)
      sent <= sent + 1;
    if (taken == STEPS) begin
      if (wrong == 0)
        $display("passed: %0d results as expected", STEPS);
      else
        $display("FAILED: %0d of %0d results differ", wrong, STEPS);
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
    $display("FAILED: only %0d of %0d results came", taken, STEPS);
    $finish;
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
