// The overlay of `?perf=1`.
import { span } from "../format/numbers.ts";
import { measured, perfWanted } from "../state/perf.ts";

export function PerfBox() {
  const figures = measured.figures.value;
  if (!perfWanted || figures === undefined) return null;
  const undrawn = figures.ticks === 0 ? 0 : (figures.undrawn / figures.ticks) * 100;
  const rows: [string, string][] = [
    ["fps", figures.fps.toFixed(0)],
    ["latency p50", span(figures.p50)],
    ["p95", span(figures.p95)],
    ["p99", span(figures.p99)],
    ["ticks", `${figures.ticks}`],
    ["undrawn", `${figures.undrawn} (${undrawn.toFixed(1)} %)`],
    ["skipped", `${figures.skipped}`],
    ["clock offset", figures.offset_ms === undefined ? "–" : `${figures.offset_ms.toFixed(0)} ms`],
    ["heap", figures.heap === undefined ? "–" : `${(figures.heap / 1e6).toFixed(1)} MB`],
  ];
  return (
    <aside class="perf" aria-label="Performance" data-figures={JSON.stringify(figures)}>
      <dl>{rows.map(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name}=`}>{value}</dd>])}</dl>
    </aside>
  );
}
