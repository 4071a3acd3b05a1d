// SPDX-License-Identifier: MIT
// Current and resident bytes over time, drawn by dygraphs; with the snapshots: a click selects the nearest, a
// drag compares the two nearest its ends.
// `on` is told: {moment(number), compare(base, number), read(text)}.
const DRAGGED = 4; // pixels: a shorter drag is a click

const axis = {
  second: (value) => value === 0 ? '0' : value < 1 ? `${Number((value * 1e3).toPrecision(3))} ms`
    : value < 120 ? `${Number(value.toPrecision(4))} s` : units.duration(value * 1e9),
  // At powers of two, as bytes are written.
  bytes(high, pixels) {
    const most = Math.max(2, Math.floor(pixels / 32));
    let step = 1;
    while (high / step > most) step *= 2;
    const tick = (_, i) => ({v: i * step, label: i ? units.bytes(i * step) : '0'});
    return Array.from({length: Math.floor(high / step) + 1}, tick);
  },
};

class Timeline {
  constructor(box, on) {
    this.box = box;
    this.on = on;
    this.shown = {moment: 0, base: -1};
    const {ns, current, resident} = report.points;
    this.hasResident = resident.some((bytes) => bytes > 0);
    this.peak = current.reduce((best, bytes, i) => bytes > current[best] ? i : best, 0);
    Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend); // styles inline
    this.graph = new Dygraph(box, ns.map((at, i) => [at / 1e9, current[i], resident[i] || null]), {
      labels: ['time', 'current', 'resident'],
      legend: 'never',
      interactionModel: {},
      connectSeparatedPoints: true,
      includeZero: true,
      xRangePad: 2,
      yRangePad: 16,
      axisLineWidth: 0.5,
      highlightCircleSize: 3,
      series: {current: {fillGraph: true, strokeWidth: 1.5}, resident: {strokeWidth: 1.2}},
      axes: {
        x: {drawGrid: false, axisLabelFormatter: axis.second, axisLabelWidth: 70, pixelsPerLabel: 80},
        y: {axisLabelWidth: 70, gridLineWidth: 0.5, ticker: (low, high, pixels) => axis.bytes(high, pixels)},
      },
      highlightCallback: (event, x, points, row) => this.read(row),
      unhighlightCallback: () => this.on.read(''),
      underlayCallback: (context, area, graph) => this.underlay(context, area, graph),
      ...this.look(),
    });
    box.addEventListener('pointerdown', (event) => this.down(event));
    box.addEventListener('pointermove', (event) => this.move(event));
    box.addEventListener('pointerup', (event) => this.up(event));
    box.addEventListener('pointercancel', () => { this.brush = null; });
  }

  look() {
    return {colors: [colours.accent, colours.resident],
            gridLineColor: colours.line, axisLineColor: colours.line,
            fillAlpha: colours.dark ? 0.2 : 0.12};
  }
  restyle() { this.graph.updateOptions(this.look()); }
  show(moment, base) {
    this.shown = {moment, base};
    this.graph.updateOptions({});
  }

  read(row) {
    const {ns, current, resident} = report.points;
    this.on.read(`${units.duration(ns[row])}: ${units.bytes(current[row])}`
      + (resident[row] ? `, resident ${units.bytes(resident[row])}` : ''));
  }

  // --- behind the lines: what is looked at, the snapshots, the peak

  underlay(context, area, graph) {
    const bottom = area.y + area.h, at = (ns) => graph.toDomXCoord(ns / 1e9);
    const {moment, base} = this.shown, moments = report.moments;
    context.save();
    const compared = base >= 0 && [at(moments[base].ns), at(moments[moment].ns)];
    const range = this.brush ? [this.brush.from, this.brush.to] : compared;
    if (range) {
      context.fillStyle = colours.accent;
      context.globalAlpha = 0.1;
      context.fillRect(Math.min(...range), area.y, Math.abs(range[1] - range[0]), area.h);
      context.globalAlpha = 1;
    }
    moments.forEach((one, number) => {
      const chosen = number === moment || number === base;
      if (!one.reason && !chosen) return;
      const x = Math.round(Math.min(area.x + area.w - 5, at(one.ns))) + 0.5;
      context.strokeStyle = context.fillStyle = chosen ? colours.accent : colours.faint;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x, chosen ? area.y : bottom - 10);
      context.lineTo(x, bottom);
      context.stroke();
      context.beginPath();
      context.arc(x, bottom - 10, chosen ? 4 : 3, 0, 7);
      context.fill();
    });
    this.drawPeak(context, area, graph);
    context.restore();
  }

  drawPeak(context, area, graph) {
    const {ns, current, peak} = report.points;
    const [x, y] = graph.toDomCoords(ns[this.peak] / 1e9, current[this.peak]);
    const right = x < area.x + area.w / 2;
    context.fillStyle = context.strokeStyle = colours.ink;
    context.lineWidth = 1;
    context.beginPath();
    context.arc(x, y, 3.5, 0, 7);
    context.stroke();
    context.font = `600 11px ${getComputedStyle(document.body).fontFamily}`;
    context.textAlign = right ? 'left' : 'right';
    context.textBaseline = 'middle';
    const text = [`peak ${units.bytes(peak)}`, x + (right ? 9 : -9), Math.max(area.y + 7, y - 9)];
    context.lineWidth = 4;
    context.strokeStyle = colours.card;
    context.strokeText(...text);
    context.fillText(...text);
  }

  // --- pointer

  nearest(x) {
    const far = report.moments.map((one) => Math.abs(this.graph.toDomXCoord(one.ns / 1e9) - x));
    return far.indexOf(Math.min(...far));
  }
  xOf(event) { return event.clientX - this.box.getBoundingClientRect().left; }
  down(event) {
    if (event.button !== 0 || report.moments.length < 2) return;
    this.brush = {from: this.xOf(event), to: this.xOf(event)};
    this.box.setPointerCapture(event.pointerId);
  }
  move(event) {
    if (!this.brush) return;
    this.brush.to = this.xOf(event);
    this.graph.updateOptions({});
  }
  up(event) {
    if (!this.brush) return;
    const {from} = this.brush, to = this.xOf(event);
    this.brush = null;
    if (Math.abs(to - from) < DRAGGED) {
      this.on.moment(this.nearest(to));
      return;
    }
    const base = this.nearest(Math.min(from, to)), moment = this.nearest(Math.max(from, to));
    if (base === moment) this.on.moment(moment);
    else this.on.compare(base, moment);
  }
}
