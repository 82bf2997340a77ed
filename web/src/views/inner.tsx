// What the counters at /metrics add to Health: queues to the shards, outputs, the process.
import { bytes, count, share, span, unknown } from "../format/numbers.ts";
import { plain } from "../format/names.ts";
import { counters } from "../state/health.ts";
import { Fact } from "../parts/small.tsx";
import { Loading, Problem } from "../parts/states.tsx";
import type { Sample } from "../wire/metrics.ts";

const named = (samples: readonly Sample[], name: string): Sample[] => samples.filter((one) => one.name === name);
const only = (samples: readonly Sample[], name: string): number | undefined => named(samples, name)[0]?.value;
const sumOf = (samples: readonly Sample[], name: string): number => named(samples, name).reduce((sum, one) => sum + one.value, 0);

function Queues({ samples }: { samples: readonly Sample[] }) {
  const queues = named(samples, "netscope_queue_capacity");
  return (
    <table class="plain-table">
      <thead><tr><th scope="col">Queue</th><th scope="col" class="numeric">Waiting</th><th scope="col" class="numeric">Room</th></tr></thead>
      <tbody>
        {queues.map(({ labels, value }) => {
          const depth = named(samples, "netscope_queue_depth").find((one) => one.labels.queue === labels.queue)?.value ?? 0;
          return <tr key={labels.queue}><td>{plain(labels.queue ?? "")}</td><td class={`numeric ${depth >= value && value > 0 ? "warning" : ""}`}>{count(depth)}</td><td class="numeric">{count(value)}</td></tr>;
        })}
      </tbody>
    </table>
  );
}

/** The mean of a tick, and what it takes of the time between two. */
function Ticks({ samples }: { samples: readonly Sample[] }) {
  const sum = sumOf(samples, "netscope_tick_duration_seconds_sum");
  const ticks = sumOf(samples, "netscope_tick_duration_seconds_count");
  return <Fact name="Ticks">{count(ticks)} <span class="muted">of {span(ticks === 0 ? undefined : (sum * 1000) / ticks)} on average</span></Fact>;
}

export function Shards() {
  const { value, refusal } = counters.answer.value;
  if (value === undefined) return refusal === undefined ? <Loading what="the counters" /> : <Problem refusal={refusal} retry={() => void counters.now()} />;
  const capacity = only(value, "netscope_flow_capacity") ?? 0;
  const flows = only(value, "netscope_active_flows") ?? 0;
  return (
    <>
      <Queues samples={value} />
      <dl class="facts">
        <Ticks samples={value} />
        <Fact name="Flow table">{count(flows)} flows{capacity > 0 && <span class="muted"> of {count(capacity)}, {share(flows / capacity)}</span>}, {bytes(only(value, "netscope_flow_table_bytes"))}</Fact>
        <Fact name="Memory">{bytes(only(value, "process_resident_memory_bytes"))}</Fact>
        <Fact name="CPU time">{span((only(value, "process_cpu_seconds_total") ?? 0) * 1000)}</Fact>
        <Fact name="Streams">{count(sumOf(value, "netscope_stream_subscribers"))} open{sumOf(value, "netscope_stream_messages_dropped_total") > 0 && <span class="warning">, {count(sumOf(value, "netscope_stream_messages_dropped_total"))} events left out for slow readers</span>}</Fact>
        <Fact name="Logins refused">{count(sumOf(value, "netscope_api_logins_refused_total"))}</Fact>
        <Fact name="Settings">{only(value, "netscope_config_last_reload_successful") === 0 ? <span class="warning">the latest reading failed</span> : "as last read"}{sumOf(value, "netscope_config_restart_pending") > 0 && <span class="warning">, {count(sumOf(value, "netscope_config_restart_pending"))} wait for a restart</span>}{sumOf(value, "netscope_config_overrides") > 0 && <span class="muted">, {count(sumOf(value, "netscope_config_overrides"))} changed by the API</span>}</Fact>
      </dl>
    </>
  );
}

export function Outputs() {
  const { value, refusal } = counters.answer.value;
  if (value === undefined) return refusal === undefined ? <Loading what="outputs" /> : <p class="muted">{unknown}</p>;
  const outputs = named(value, "netscope_output_bytes_total");
  if (outputs.length === 0) return <p class="muted">None is written: exports, alerts and recordings are set by <code>output</code>.</p>;
  return (
    <table class="plain-table">
      <thead><tr><th scope="col">Output</th><th scope="col" class="numeric">Written</th><th scope="col" class="numeric">Failures</th></tr></thead>
      <tbody>
        {outputs.map(({ labels, value: written }) => {
          const failures = named(value, "netscope_output_errors_total").find((one) => one.labels.output === labels.output)?.value ?? 0;
          return <tr key={labels.output}><td>{plain(labels.output ?? "").replaceAll("_", " ")}</td><td class="numeric">{bytes(written)}</td><td class={`numeric ${failures > 0 ? "loss" : ""}`}>{count(failures)}</td></tr>;
        })}
      </tbody>
    </table>
  );
}
