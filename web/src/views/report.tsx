// What a capture file holds, when all of it was read: the figures of its report, from its flows.
import { useMemo } from "preact/hooks";
import { bytes, count, quantity, share, span, unknown } from "../format/numbers.ts";
import { plain } from "../format/names.ts";
import { moment } from "../format/times.ts";
import { withTerm } from "../state/filter.ts";
import { digestOf, type Digest } from "../state/digest.ts";
import { go, linkTo, place, zone } from "../state/place.ts";
import { tick } from "../state/sensor.ts";
import { whole, whole_most } from "../state/whole.ts";
import { Bar, Fact, Wire } from "../parts/small.tsx";
import { Loading, Notice, Problem } from "../parts/states.tsx";

const rows_most = 8;

/** Names with their shares; a name that is a word of the filter leads to its flows. */
export function Shares<K extends "bytes" | "flows">({ name, all, term, of }: { name: string; all: readonly ({ name: string } & Record<K, number>)[]; term?: string; of: K }) {
  const sum = all.reduce((total, one) => total + one[of], 0);
  const choose = (value: string): void => {
    const [, port] = value.split("/");
    go({ filter: withTerm(place.peek().filter, term ?? "", term === "to-port" && port !== undefined ? port : value) });
  };
  return (
    <div class="mix">
      <h3>{name}{all.length > rows_most && <span class="muted"> {count(all.length)}</span>}</h3>
      {all.length === 0 && <p class="muted">none</p>}
      <ul>
        {all.slice(0, rows_most).map((one, at) => (
          <li key={one.name}>
            {term === undefined ? <span class="cut" title={plain(one.name)}><Wire text={one.name} /></span>
              : <button type="button" class="plain" title={`only ${term}:${plain(one.name)}`} onClick={() => choose(one.name)}><Wire text={one.name} /></button>}
            <Bar part={sum === 0 ? 0 : one[of] / sum} series={Math.min(at + 1, 5)} />
            <span class="numeric">{share(sum === 0 ? 0 : one[of] / sum)}</span>
            <span class="numeric muted">{of === "bytes" ? bytes(one[of]) : count(one[of])}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function useDigest(): Digest {
  const { value } = whole.answer.value;
  return useMemo(() => digestOf(value?.flows ?? []), [value]);
}

function Talkers({ digest }: { digest: Digest }) {
  return (
    <section aria-label="Top talkers">
      <h3>Top talkers <span class="muted">of {count(digest.talkers.length)}</span></h3>
      <table class="plain-table">
        <thead><tr><th scope="col">Address</th><th scope="col" >Name</th><th scope="col" class="numeric">Sent</th><th scope="col" class="numeric">Received</th><th scope="col" class="numeric">Flows</th></tr></thead>
        <tbody>
          {digest.talkers.slice(0, rows_most).map((one) => (
            <tr key={one.ip}>
              <td class="mono" title={one.ip}><a href={linkTo({ view: "flows", filter: `ip:${one.ip}` })}>{one.ip}</a></td><td title={plain(one.name ?? "")}><Wire text={one.name ?? ""} /></td>
              <td class="numeric">{bytes(one.sent)}</td><td class="numeric">{bytes(one.received)}</td><td class="numeric">{count(one.flows)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Figures({ digest, flows }: { digest: Digest; flows: number }) {
  const { first, last, tcp } = digest;
  const counters = tick.value?.counters;
  const length = first === undefined || last === undefined ? undefined : last - first;
  const rate = (total: number | undefined, unit: string): string => (length === undefined || length <= 0 || total === undefined ? unknown : quantity((total * 1000) / length, unit));
  return (
    <dl class="facts">
      <Fact name="First packet">{moment(first, zone.value)}</Fact>
      <Fact name="Last packet">{moment(last, zone.value)}</Fact>
      <Fact name="Span">{span(length)}</Fact>
      <Fact name="Mean rate">{rate(counters === undefined ? undefined : counters.bytes * 8, "b/s")} <span class="muted">{rate(counters?.received, "p/s")}</span></Fact>
      <Fact name="Flows">{count(flows)} <span class="muted">{digest.ends.map((one) => `${one.name} ${count(one.flows)}`).join(", ")}</span></Fact>
      <Fact name="TCP flows">{count(tcp.flows)} <span class="muted">{count(tcp.reset)} reset, {count(tcp.slow)} with a round trip over 500 ms</span></Fact>
      <Fact name="Retransmitted"><span class={tcp.lossy > 0 ? "warning" : ""}>{share(tcp.packets === 0 ? undefined : tcp.retransmissions / tcp.packets)}</span> <span class="muted">{count(tcp.lossy)} flows more than 1 %</span></Fact>
    </dl>
  );
}

export function Report() {
  const { value, refusal } = whole.answer.value;
  const digest = useDigest();
  return (
    <section class="panel report" aria-label="Report">
      <div class="panel-head"><h2>Report</h2><span class="muted">{place.value.filter === "" ? "of all that was read" : "of the flows that fit the filter"}</span></div>
      {value?.partial && <Notice kind="info">Only {count(whole_most)} flows are looked at: netscope -r FILE reports on all of them.</Notice>}
      {value === undefined ? (refusal === undefined ? <Loading what="the flows" /> : <Problem refusal={refusal} retry={() => void whole.now()} />) : (
        <div class="report-parts">
          <div><Figures digest={digest} flows={value.flows.length} /></div>
          <Talkers digest={digest} />
          <Shares name="Names, of TLS servers and DNS questions" all={digest.servers} term="name" of="bytes" />
          {digest.failures.length > 0 && <Shares name="DNS failures" all={digest.failures} of="flows" />}
        </div>
      )}
    </section>
  );
}

/** The mix of all flows of a file. */
export function WholeMix() {
  const digest = useDigest();
  return (
    <>
      <Shares name="Protocols" all={digest.protocols} term="protocol" of="bytes" />
      <Shares name="Applications" all={digest.apps} term="app" of="bytes" />
      <Shares name="Server ports" all={digest.services} term="to-port" of="bytes" />
    </>
  );
}
