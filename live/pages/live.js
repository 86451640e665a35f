// SPDX-License-Identifier: Apache-2.0
// Draws what the WebSocket of the page sends, and sends what the buttons say.
"use strict";
(() => {
const SECONDS = 8, TRAIL = 2, RETURN = 1;       // shown; length of the cursor's path; its way back
const LEFT = 64;                                // pixels left of each picture over time, as in the style
const $ = id => document.getElementById(id);
const text = (id, value) => { const at = $(id); if (at.textContent !== `${value}`) at.textContent = value; };
const steps = [];                               // {t, channels, hidden, velocity, truth, x, y}
let seen = null, socket = null, colours = {}, plots = [], histogram = null, rates = [], shownHash = "";

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ink", "muted", "rule", "paper", "warm", "pebble", "cool", "violet", "navy"])
    colours[name] = style.getPropertyValue(`--${name}`).trim();
}

// -- plots -------------------------------------------------------------------------------------
function axis(more) {
  return {stroke: colours.muted, grid: {stroke: colours.rule, width: 1}, ticks: {stroke: colours.rule, width: 1},
          font: "12px system-ui, sans-serif", ...more};
}

function makePlots(axes) {
  for (const each of [...plots, histogram]) if (each) each.destroy();
  $("velocity").textContent = $("delays").textContent = "";
  const names = axes <= 3 ? ["x", "y", "z"] : [...Array(axes).keys()].map(String);
  plots = [...Array(axes).keys()].map(k => new uPlot({
    width: $("velocity").clientWidth, height: (axes > 2 ? 90 : 120) + (k === axes - 1 ? 30 : 10), legend: {show: false},
    cursor: {show: false}, padding: [10, 0, k === axes - 1 ? 0 : 10, 0],
    scales: {x: {time: false, range: () => steps.length ? [steps.at(-1).t - SECONDS, steps.at(-1).t] : [0, SECONDS]}},
    axes: [axis({values: (u, at) => at.map(v => v < 0 ? "" : `${v} s`), show: k === axes - 1, size: 30}),
           axis({size: LEFT - 16, label: names[k], labelSize: 16, labelFont: "12px system-ui, sans-serif"})],
    series: [{}, {stroke: colours.pebble, width: 2, points: {show: false}},
             {stroke: colours.warm, width: 1.5, points: {show: false}}],
  }, [[], [], []], $("velocity")));
  histogram = new uPlot({
    width: $("delays").clientWidth, height: 150, legend: {show: false}, cursor: {show: false},
    scales: {x: {time: false, distr: 3}, y: {range: (u, low, high) => [0, Math.max(high, 1)]}},
    axes: [axis({grid: {show: false}, values: (u, at) => at.map(v => v === null ? "" : `${v} ms`), size: 32,
                 filter: (u, at) => at.map(v => [0.1, 1, 10, 100].includes(v) ? v : null)}),
           axis({size: LEFT})],
    series: [{}, {stroke: colours.cool, fill: colours.cool, width: 1, points: {show: false},
                  paths: uPlot.paths.stepped({align: 1})}],
  }, [[], []], $("delays"));
}

function resize() {
  for (const each of plots) each.setSize({width: $("velocity").clientWidth, height: each.height});
  if (histogram) histogram.setSize({width: $("delays").clientWidth, height: histogram.height});
}

// -- canvases ----------------------------------------------------------------------------------
function ground(id) {
  const canvas = $(id), ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return [pen, width, height];
}

function raster(id, rows, key, colour) {
  const [pen, width, height] = ground(id);
  if (!steps.length || !rows) return;
  const begin = steps.at(-1).t - SECONDS, tall = Math.max(height / rows, 1);
  pen.fillStyle = colour;
  for (const step of steps) {
    const at = (step.t - begin) / SECONDS * width;
    for (const row of step[key]) pen.fillRect(at - 1, row * height / rows, 1.2, tall);
  }
}

function cursor() {
  const [pen, width, height] = ground("cursor");
  if (!steps.length) return;
  const begin = steps.at(-1).t - TRAIL, path = steps.filter(step => step.t >= begin);
  let far = 1e-9;
  for (const step of steps) for (const at of [step.here, step.there])
    if (at) far = Math.max(far, Math.abs(at[0]), Math.abs(at[1]));
  const place = at => [width / 2 + at[0] / far * width * 0.44, height / 2 - at[1] / far * height * 0.44];
  for (const [key, colour] of [["there", colours.pebble], ["here", colours.warm]]) {
    const points = path.map(step => step[key]).filter(at => at).map(place);
    if (!points.length) continue;
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = 2;
    pen.globalAlpha = 0.6;
    pen.beginPath();
    for (const point of points) pen.lineTo(...point);
    pen.stroke();
    pen.globalAlpha = 1;
    pen.beginPath();
    pen.arc(...points.at(-1), 7, 0, 7);
    pen.fill();
  }
}

// -- messages ----------------------------------------------------------------------------------
function moved(at, velocity, dt) {              // the next place of a cursor
  const kept = Math.exp(-dt / RETURN);
  return [kept * (at ? at[0] : 0) + dt * (velocity[0] || 0),
          kept * (at ? at[1] : 0) + dt * (velocity.length > 1 ? velocity[1] : 0)];
}

function add(message) {
  const dt = message.model.dt;
  let before = steps.at(-1);
  for (const [number, channels, hidden, velocity, truth, reset] of message.steps) {
    const scaled = velocity.map(value => value * message.scale);
    const known = truth && truth.every(value => value !== null);
    const step = {t: number * dt, channels, hidden, velocity: scaled, truth: known ? truth : null,
                  here: moved(before && before.here, scaled, dt),
                  there: known ? moved(before && before.there, truth, dt) : null};
    steps.push(step);
    before = step;
  }
  while (steps.length && steps[0].t < steps.at(-1).t - SECONDS) steps.shift();
}

function state(name, words) {
  $("state").className = `pill ${name}`;
  text("state", words);
  $("pause").disabled = $("reset").disabled = $("load").disabled = name === "broken";
}

function rate(status) {                         // steps and spikes a second, over the last two
  const now = performance.now() / 1000;
  if (!rates.length || rates.at(-1)[1] !== status.steps) rates.push([now, status.steps, status.spikes]);
  while (rates.length > 2 && rates[1][0] < now - 2) rates.shift();
  const [first, last] = [rates[0], rates.at(-1)], time = last[0] - first[0];
  return time > 0 ? [1, 2].map(k => Math.round((last[k] - first[k]) / time).toLocaleString("en")) : ["–", "–"];
}

function tell(message) {
  const {model, facts, status} = message;
  text("name", model.name);
  text("hash", model.hash);
  text("source", facts.source || "…");
  text("shape", `${model.channels} channels, ${model.hidden} hidden neurons, ${1000 * model.dt} ms a step`);
  text("channels", model.channels);
  text("neurons", model.hidden);
  $("hidden-part").hidden = !model.hidden;
  text("agreement", `The integer model runs beside the decoder: ${message.agreement}.`);
  if ($("models").childElementCount !== message.models.length) {
    $("models").textContent = "";
    message.models.forEach((name, k) => $("models").append(new Option(name, k)));
  }
  $("models").hidden = $("load").hidden = message.models.length < 2;
  if (shownHash !== model.hash) {
    shownHash = model.hash;
    $("models").value = model.number;
  }
  if (!status.counts) return;
  if (message.ended) state("broken", "ended");
  else if (status.paused) state("paused", "paused");
  else state(message.steps.length ? "running" : "waiting", message.steps.length ? "running" : "waiting");
  text("pause", status.paused ? "Go on" : "Pause");
  const [perSecond, spikes] = rate(status);
  text("rate", perSecond);
  text("spikes", spikes);
  text("late", `${status.late} (${(100 * status.late / Math.max(status.steps, 1)).toFixed(2)} %)`);
  $("late-tile").className = status.late > status.steps / 1000 ? "bad" : "";
  text("p50", status.from_bin.p50.toFixed(2));
  text("p99", status.from_bin.p99.toFixed(2));
  text("spike99", status.from_spike.p99.toFixed(2));
  const rows = [["steps", status.steps], ...Object.entries(status.counts)];
  const table = $("counters");
  if (table.rows.length !== rows.length) {
    table.textContent = "";
    for (const [name] of rows) {
      const row = table.insertRow();
      row.insertCell().textContent = name;
      row.insertCell();
    }
  }
  rows.forEach(([name, count], k) => {
    table.rows[k].cells[0].textContent = name;
    table.rows[k].cells[1].textContent = count.toLocaleString("en");
  });
  const list = $("notices");
  if (list.childElementCount !== status.notices.length || (status.notices.length
      && list.lastChild.textContent !== status.notices.at(-1))) {
    list.textContent = "";
    for (const notice of status.notices) list.append(Object.assign(document.createElement("li"), {textContent: notice}));
  }
}

function draw() {
  if (seen) {
    const times = steps.map(step => step.t);
    plots.forEach((plot, k) => plot.setData([times, steps.map(step => step.truth ? step.truth[k] : null),
                                             steps.map(step => step.velocity[k])]));
    const last = seen.delays.findLastIndex(count => count) + 2, first = Math.max(seen.delays.findIndex(count => count) - 1, 0);
    histogram.setData([seen.edges.slice(first, last), [...seen.delays, 0].slice(first, last)]);
    raster("raster", seen.model.channels, "channels", colours.ink);
    raster("hidden", seen.model.hidden, "hidden", colours.violet);
    cursor();
    document.documentElement.dataset.drawn = steps.length;
  }
}

function listen() {
  socket = new WebSocket(`ws://${location.host}/live${location.search}`);
  socket.onmessage = event => {
    const message = JSON.parse(event.data);
    if (!seen || seen.model.axes !== message.model.axes) {
      steps.length = 0;
      makePlots(message.model.axes);
    }
    seen = message;
    add(message);
    tell(message);
    requestAnimationFrame(draw);
  };
  socket.onclose = () => {
    if (!seen || !seen.ended) state("broken", "no connection");
  };
}

const say = what => { if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(what)); };
$("pause").onclick = () => say({do: seen && seen.status.paused ? "resume" : "pause"});
$("reset").onclick = () => say({do: "reset"});
$("load").onclick = () => say({do: "load", model: Number($("models").value)});
window.addEventListener("resize", () => { resize(); draw(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  readColours();
  if (seen) makePlots(seen.model.axes);
  draw();
});
readColours();
listen();
})();
