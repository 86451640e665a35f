// SPDX-License-Identifier: Apache-2.0
//
// {{ name }}: a trained spiking decoder{{ ", with its serial link" if link }}. Made by Spikewright {{ version }}.
//
// Model      {{ model }}, hash {{ model_hash }}
//            {{ channels }} channels, {{ rows }} input rows, {{ hidden }} hidden neurons, {{ outputs }} outputs; a step is {{ "%g" | format(1e3 * dt) }} ms
// Numbers    weights of {{ weight_bits | join(" and ") }} bits, currents {{ widths.current }}, membranes and outputs {{ widths.membrane }}, decays {{ widths.decay }};
//            {{ widths.fraction }} fraction bits
{% set made %}{% for key, value in config.items() %}{{ key }} {{ value }}{{ ", " if not loop.last }}{% endfor %}{% endset %}
// Made with  {{ made | wrapped(11) }}
{% if link %}
//            clock {{ "%g" | format(link.clock_mhz) }} MHz, {{ link.baud }} baud
{% endif %}
// Licence    Apache-2.0 for the circuit. The tables in it are the model's: its author's licence
//            applies to them as well.
//
{% if table %}
// Memories have their contents as initial values, but for that of the weights, which is meant for
// large RAMs (ram_style "huge"): {{ "the host loads it over the link" if link else "it is loaded, from " ~ table.file }}.
// For a chip without large RAMs, such as an ECP5 or a Gowin, define SPIKEWRIGHT_NO_LARGE_RAM.
// Synthesis then chooses the RAM of the weights.
{% else %}
// Self-contained: memories have their contents as initial values (the weights, and the constants
// of the neurons), so that nothing else is needed in simulation or for an FPGA.
{% endif %}
//
// PORTS
{% for port in ports %}
//   {{ "%-6s %-7s %-12s" | format(port.direction, "[%d:0]" | format(port.width - 1) if port.width > 1 else "", port.name) }}  {{ port.meaning | wrapped(31) }}
{% for field in port.fields %}
//          {{ "%-8s %-11s" | format(field.bits, field.name) }}  {{ field.meaning | wrapped(31) }}
{% endfor %}
{% endfor %}
//
// HOW TO DRIVE IT
{% if link %}
//   Connect rx and tx to a serial line of {{ link.baud }} baud, 8N1; clk must be {{ "%g" | format(link.clock_mhz) }} MHz. rx needs no
//   synchronizer. The frames are in docs/link.md of Spikewright. A frame for a row
//   that does not exist does no harm: the link drops the event.
//   After rst, ask for a reset in the next STEP frame: memories keep what they held.
//
//     {{ name }} decoder (.clk(clk), .rst(rst), .rx(rx), .tx(tx));
{% else %}
{% if table %}
//   0. Load the weights after configuration, before all else: {{ table.words }} words of {{ table.word_bytes }} bytes, one byte a
//      transfer on load. {{ table.file }} has the bytes in order, byte 0 of word 0 first.
{% endif %}
//   1. For each spike of the step send one EVENT with the row of its channel, then one STEP.
//      A token is taken in each cycle in which i__valid and i__ready are both 1; hold it until then.
//   2. The result is offered with o__valid and stays until a cycle in which o__ready is 1 as well.
//      Until then the core begins nothing new. Where the receiver never waits, tie o__ready to 1.
//   The rows are 0 to {{ rows - 1 }}. Send no EVENT with another one: the core would read other weights.
//   All state is 0 after configuration: neither rst nor RESET is needed then.
//   RESET clears the currents, the membranes, the spikes that are under way, and saturated. Events
//   of the step so far are lost, and the step starts over. RESET has no result. step goes on.
//   rst stops what the core works on: tokens that were taken are lost, and so is a result that is
//   not taken. step and saturated are 0 then. Memories keep what they held, currents and membranes
//   too, so the first token after rst must be RESET. A token that is offered while rst is 1 is lost
//   if i__ready is 1.
{% if channel_row %}
//   Row of each channel, in order; no token for a channel with -1:
//     {{ channel_row | join(", ") | wrapped(2) }}
{% else %}
//   The row of a channel is its number.
{% endif %}
{% if units > 1 %}
//   Neuron n of a population is bit n % {{ units }} of fired, in group n / {{ units }} after its first one. Neurons
{% else %}
//   Neuron n of a population is group n after its first one. Neurons
{% endif %}
//   without an effect have been dropped, and have no number.
{% for population in populations %}
//     {{ "%-16s %5d neurons, first group %d" | format(population.name, population.neurons, population.group) }}
{% endfor %}
//   Physical units of each axis: the sum of all outputs, in order, times
{% for axis in readout %}
//     {{ axis | join(", ") | wrapped(4) }}
{% endfor %}
{% if offset | select | list %}
//   and then plus the offset of the axis:
//     {{ offset | join(", ") | wrapped(4) }}
{% endif %}
{% endif %}
//
// CLOCK CYCLES
//   The mean depends on the spikes: 'spikewright run' tells it for a recording. The worst case
//   does not: every neuron fires at every delay, and the step has this many events.
//
//     events   cycles of the step   last event taken to result, tokens waiting
{% for row in worst %}
//     {{ "%6d   %18d   %10d" | format(row.events, row.cycles, row.latency) }}
{% endfor %}
//
