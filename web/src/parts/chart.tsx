// Rates over time: one series a chart, zero always in, gaps hatched. The cursor is shared between charts of one key.
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { niceTop, scaled } from "../format/numbers.ts";
import { clock, type Zone } from "../format/times.ts";
import type { Gap } from "../state/history.ts";
import { dark } from "../state/look.ts";

export interface Series {
  times: number[];
  values: (number | null)[];
  gaps: readonly Gap[];
  from: number; // seconds
  to: number;
}

interface Props {
  label: string;
  unit: string;
  colour: 1 | 2 | 3 | 4;
  zone: Zone;
  /** Reads signals: drawn again when one changes. `width` is in pixels. */
  series: (width: number) => Series;
}

const fall_after_ms = 30_000;

/** The top of an axis: rises at once, falls only when 30 s were lower. */
export function topKeeper(): (most: number, now: number) => number {
  let top = 0;
  let high_at = 0;
  return (most, now) => {
    const next = niceTop(most);
    if (next >= top) high_at = now;
    if (next >= top || now - high_at > fall_after_ms) {
      top = next;
      high_at = now;
    }
    return top;
  };
}

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Lines across the time of which nothing is known. */
function hatch(plot: uPlot, gaps: readonly Gap[]): void {
  const { ctx: canvas, bbox } = plot;
  canvas.save();
  canvas.beginPath();
  canvas.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  canvas.clip();
  canvas.strokeStyle = token("muted");
  canvas.globalAlpha = 0.45;
  canvas.lineWidth = 1;
  for (const gap of gaps) {
    const left = plot.valToPos(gap.from / 1000, "x", true);
    const right = plot.valToPos(gap.to / 1000, "x", true);
    if (right < bbox.left || left > bbox.left + bbox.width) continue;
    canvas.save();
    canvas.beginPath();
    canvas.rect(left, bbox.top, Math.max(2, right - left), bbox.height);
    canvas.clip();
    canvas.beginPath();
    for (let x = left - bbox.height; x < right + bbox.height; x += 7) {
      canvas.moveTo(x, bbox.top + bbox.height);
      canvas.lineTo(x + bbox.height, bbox.top);
    }
    canvas.stroke();
    canvas.restore();
  }
  canvas.restore();
}

/** Round figures up to a top of 1, 2 or 5 times a power of ten. */
export function splitsOf(top: number): number[] {
  const parts = String(top / 10 ** Math.floor(Math.log10(top))).startsWith("5") ? 5 : 4;
  return Array.from({ length: parts + 1 }, (_, at) => (top * at) / parts);
}

function axisOf(unit: string, stroke: string, grid: string): uPlot.Axis {
  return {
    stroke, size: 62, gap: 4, font: "11px system-ui", grid: { stroke: grid, width: 1 }, ticks: { show: false },
    splits: (_plot, _axis, _least, most) => splitsOf(most),
    values: (_plot, splits) => splits.map((value) => {
      const [digits, prefix] = scaled(value);
      return `${digits.includes(".") ? digits.replace(/\.?0+$/u, "") : digits} ${value === 0 ? "" : prefix}${unit}`;
    }),
  };
}

function optionsOf({ unit, colour, zone }: Props, size: { width: number; height: number }, gaps: () => readonly Gap[], top: (most: number) => number): uPlot.Options {
  const line = token(`series-${colour}`);
  const muted = token("muted");
  const grid = token("raised");
  return {
    ...size, legend: { show: false }, padding: [8, 8, 0, 0],
    cursor: { sync: { key: "rates" }, drag: { x: false, y: false }, y: false, points: { size: 5, fill: line, stroke: line, width: 0 } },
    scales: { x: { time: true }, y: { range: (_plot, _least, most) => [0, top(most)] } },
    axes: [
      { stroke: muted, size: 22, gap: 2, font: "11px system-ui", grid: { show: false }, ticks: { stroke: grid, size: 4 },
        space: 80, values: (_plot, splits) => splits.map((value) => clock(value * 1000, zone)) },
      axisOf(unit, muted, grid),
    ],
    series: [{}, { stroke: line, fill: `${line}22`, width: 1, points: { show: (plot) => plot.data[0].length < 3, size: 5, fill: line }, spanGaps: false }],
    hooks: { drawAxes: [(plot) => hatch(plot, gaps())] },
  };
}

/** What the cursor is at, beside the chart's name. */
function tellAt(plot: uPlot, into: HTMLElement, unit: string, zone: Zone, gaps: readonly Gap[]): void {
  const at = plot.cursor.idx;
  const time = at === null || at === undefined ? undefined : plot.data[0][at];
  if (time === undefined) {
    into.textContent = "";
    return;
  }
  const value = plot.data[1]?.[at ?? 0];
  const gap = gaps.find(({ from, to }) => time * 1000 >= from && time * 1000 <= to);
  const [digits, prefix] = scaled(value ?? 0);
  const text = value === null || value === undefined ? `nothing known${gap === undefined ? "" : `: ${gap.reason}`}` : `${digits} ${prefix}${unit}`;
  into.textContent = `${clock(time * 1000, zone)}  ${text}`;
}

export function Chart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const exact = useRef<HTMLSpanElement>(null);
  const summary = useRef<HTMLSpanElement>(null);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    let plot: uPlot | undefined;
    let shown: Series = { times: [], values: [], gaps: [], from: 0, to: 1 };
    const keep = topKeeper();
    const size = (): { width: number; height: number } => ({ width: Math.max(120, element.clientWidth), height: Math.max(80, element.clientHeight) });
    const make = (): void => {
      plot?.destroy();
      plot = new uPlot(optionsOf(latest.current, size(), () => shown.gaps, (most) => keep(most, Date.now())), [[], []], element);
      plot.hooks.setCursor = [(one: uPlot) => exact.current && tellAt(one, exact.current, latest.current.unit, latest.current.zone, shown.gaps)];
    };
    const draw = (): void => {
      shown = latest.current.series(element.clientWidth * 2);
      plot?.setData([shown.times, shown.values], false);
      plot?.batch(() => {
        plot?.setScale("x", { min: shown.from, max: shown.to });
      });
      if (summary.current !== null) summary.current.textContent = sentence(shown, latest.current.unit);
    };
    const stop = effect(() => {
      dark.value;
      make();
    });
    const stopDrawing = effect(() => {
      dark.value;
      draw();
    });
    const observer = new ResizeObserver(() => plot?.setSize(size()));
    observer.observe(element);
    return () => {
      observer.disconnect();
      stop();
      stopDrawing();
      plot?.destroy();
    };
  }, [props.zone, props.series]);
  return (
    <figure class="chart" aria-label={props.label}>
      <figcaption>
        <span class="title"><span class={`swatch series${props.colour}`} aria-hidden="true" /> {props.label}</span>
        <span class="summary" ref={summary} />
        <span class="exact mono" ref={exact} aria-hidden="true" />
      </figcaption>
      <div class="canvas" ref={box} aria-hidden="true" />
    </figure>
  );
}

/** "peak 12.1 Mb/s, mean 3.4 Mb/s": what a chart says in words. */
export function sentence(series: Series, unit: string): string {
  const values = series.values.filter((value): value is number => value !== null);
  if (values.length === 0) return "";
  const [peak, peakPrefix] = scaled(values.reduce((most, value) => Math.max(most, value), 0));
  const [mean, meanPrefix] = scaled(values.reduce((sum, value) => sum + value, 0) / values.length);
  return `peak ${peak} ${peakPrefix}${unit} · mean ${mean} ${meanPrefix}${unit}`;
}
