// Overview: figures, rates over time, what carries most, and of what it is.
import { useComputed } from "@preact/signals";
import { useCallback, useEffect, useState } from "preact/hooks";
import { bitRate, bytes, count, packetRate, quantity, scaled, share, span, unknown } from "../format/numbers.ts";
import { plain } from "../format/names.ts";
import { clock, moment } from "../format/times.ts";
import { active, alerts } from "../state/alerts.ts";
import { flowColumns } from "./flow_columns.tsx";
import { pageSettings } from "../state/page_settings.ts";
import { watchWhole, whole, wholeOrdered } from "../state/whole.ts";
import { Report, Shares, WholeMix } from "./report.tsx";
import { fileRead, history, link, lossRatio, now, status, tick } from "../state/sensor.ts";
import { go, linkTo, place, zone } from "../state/place.ts";
import { mix, top, watchOverview } from "../state/overview.ts";
import { Chart, type Series } from "../parts/chart.tsx";
import { Choices, SeverityMark, Wire } from "../parts/small.tsx";
import { Empty, Loading, Notice, Problem } from "../parts/states.tsx";
import { Table } from "../parts/table.tsx";
import type { Flow } from "../wire/gen/netscope/v1/flow_pb.ts";
import type { Refusal } from "../wire/refusal.ts";
import type { FilterHintsResponse } from "../wire/gen/netscope/v1/flow_service_pb.ts";
import type { Order } from "../state/url.ts";
import { AlertLifecycle } from "../wire/gen/netscope/v1/alert_pb.ts";
import { known, millis, number } from "../wire/wire.ts";

function Card({ name, value, unit, note, kind }: { name: string; value: string; unit: string; note: string; kind?: string }) {
  return (
    <div class={`card ${kind ?? ""}`}>
      <span class="key">{name}</span>
      <span class="value"><b>{value}</b> <span class="unit">{unit}</span></span>
      <span class="muted note">{note}</span>
    </div>
  );
}

function Cards() {
  const latest = tick.value;
  const counters = latest?.counters;
  const [bits, bitsPrefix] = latest?.bits === undefined ? [unknown, ""] : latest.bits < 1e5 ? scaled(latest.bits) : [(latest.bits / 1e6).toFixed(latest.bits < 1e9 ? 2 : 0), "M"];
  const [packets, prefix] = latest?.packets === undefined ? [unknown, ""] : scaled(latest.packets);
  const lost = counters?.lost ?? 0;
  const soFar = fileRead.value ? "in all, this rate at the end" : "so far";
  return (
    <div class="cards">
      <Card name="Throughput" value={bits} unit={`${bitsPrefix}b/s`} note={`${bytes(counters?.bytes)} ${soFar}`} />
      <Card name="Packets" value={packets} unit={`${prefix}p/s`} note={`${count(counters?.received)} ${soFar}`} />
      <Card name="Active flows" value={count(counters?.flows)} unit="" note={`${quantity(latest?.flows_per_second, "/s")} new`} />
      <Card name="Alerts" value={count(active.value.length)} unit="active" note={`${count(counters?.alerts)} raised`} kind={active.value.length > 0 ? "attention" : ""} />
      <Card name="Lost" value={count(counters?.lost)} unit="packets" note={`${share(lossRatio.value)} of what came`} kind={lost > 0 ? "loss" : ""} />
    </div>
  );
}

const least_stretch_secs = 60;

/** The stretch of time that both charts show: it grows with what there is. */
function stretch(minutes: number): { from: number; to: number } {
  const to = (tick.value?.as_of ?? Date.now()) / 1000;
  const length = Math.min(minutes * 60, Math.max(least_stretch_secs, to - (history.first ?? to)));
  return { from: to - length, to };
}

function Charts() {
  const minutes = useComputed(() => place.value.minutes).value;
  const series = (pick: "bits" | "packets") => (width: number): Series => {
    const { from, to } = stretch(minutes);
    const told = history.since(from, width);
    return { times: told.times, values: told[pick], gaps: history.gaps, from, to };
  };
  const bits = useCallback(series("bits"), [minutes]);
  const packets = useCallback(series("packets"), [minutes]);
  return (
    <section class="panel charts" aria-label="Rates">
      <div class="panel-head">
        <h2>Rates</h2>
        <Choices label="Stretch of time" value={String(minutes)} choose={(value) => go({ minutes: Number(value) })}
          all={[1, 5, 15, 60].map((one) => ({ value: String(one), label: `${one} m` }))} />
      </div>
      <Chart label="Throughput" unit="b/s" colour={1} zone={zone.value} series={bits} />
      <Chart label="Packets" unit="p/s" colour={2} zone={zone.value} series={packets} />
    </section>
  );
}

const sharesOf = (told: FilterHintsResponse) => told.values.map(({ value, weight }) => ({ name: value, bytes: number(weight) }));

function Mix() {
  const { value, refusal } = mix.answer.value;
  if (fileRead.value)
    return (
      <section class="panel mixes" aria-label="Protocol mix">
        <div class="panel-head"><h2>Mix</h2></div>
        <WholeMix />
      </section>
    );
  return (
    <section class="panel mixes" aria-label="Protocol mix">
      <div class="panel-head">
        <h2>Mix</h2>
        {value !== undefined && <span class="muted" title="Bytes of the heaviest flows that are alive, over their lives">of {count(number(value[0].lookedAt))} of {count(number(value[0].matched))} flows</span>}
      </div>
      {value === undefined ? (refusal === undefined ? <Loading what="the mix" /> : <Problem refusal={refusal} retry={() => void mix.now()} />) : (
        <>
          <Shares name="Protocols" all={sharesOf(value[0])} term="protocol" of="bytes" />
          <Shares name="Applications" all={sharesOf(value[1])} term="app" of="bytes" />
          <Shares name="Server ports" all={sharesOf(value[2])} term="to-port" of="bytes" />
        </>
      )}
    </section>
  );
}

const latest_most = 6;

/** The alerts that were told last, when there are any. */
function LatestAlerts() {
  const all = alerts.value;
  if (all.length === 0) return null;
  return (
    <section class="panel latest" aria-label="Latest alerts">
      <div class="panel-head"><h2>Latest alerts</h2><a href={linkTo({ view: "alerts" })}>all {count(all.length)}</a></div>
      <ul>
        {all.slice(0, latest_most).map((alert) => (
          <li key={alert.id}>
            <SeverityMark severity={alert.severity} />
            <a class="cut" href={linkTo({ view: "alerts", id: alert.id })} title={plain(alert.description)}><Wire text={alert.description} /></a>
            <span class="muted">{alert.lifecycle === AlertLifecycle.ENDED ? "ended " : ""}{clock(millis(alert.ts), zone.value)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const topOrders: { value: Order; label: string }[] = [
  { value: "bytes", label: "bytes" }, { value: "rate", label: "rate" }, { value: "packets", label: "packets" }, { value: "retransmissions", label: "retransmissions" },
];

interface TopRow {
  flow: Flow;
  bps: number | undefined;
  pps: number | undefined;
}

const perSecond = (flow: Flow): number | undefined => (flow.durationSecs > 0 ? number(flow.packetsTotal) / flow.durationSecs : undefined);

/** What carries most: of the flows that are alive, or of all that a file has. */
function topRows(): { rows: TopRow[]; matched: number | undefined; loading: boolean; refusal: Refusal | undefined } {
  if (fileRead.value) {
    const { value, loading, refusal } = whole.answer.value;
    const rows = wholeOrdered.value.slice(0, pageSettings.top_count).map((flow) => ({ flow, bps: known(flow.avgBpsValue), pps: perSecond(flow) }));
    return { rows, matched: value?.flows.length, loading, refusal: value === undefined ? refusal : undefined };
  }
  const { value, loading, refusal } = top.answer.value;
  const rows = (value?.rows ?? []).flatMap(({ flow, bpsValue, ppsValue }) => (flow === undefined ? [] : [{ flow, bps: known(bpsValue), pps: known(ppsValue) }]));
  return { rows, matched: value === undefined ? undefined : number(value.matched), loading, refusal: value === undefined ? refusal : undefined };
}

function TopFlows() {
  const { filter, order } = place.value;
  const [selected, select] = useState("");
  const { rows, matched, loading, refusal } = topRows();
  return (
    <section class="panel top" aria-label="Top flows">
      <div class="panel-head">
        <h2>Top flows</h2>
        <Choices label="By" value={order} choose={(next) => go({ order: next })} all={topOrders} />
        <span class="muted">{matched === undefined ? "" : `of ${count(matched)}`}</span>
      </div>
      {refusal !== undefined ? <Problem refusal={refusal} retry={() => void (fileRead.peek() ? whole : top).now()} /> : (
        <Table<TopRow> label="Top flows" rows={rows} idOf={(row) => row.flow.id} columns={topColumns} selected={selected}
          select={select} open={(id) => go({ view: "flows", id, page: true })} question={`${filter}|${order}`} holds
          empty={loading ? <Loading what="flows" /> : <Empty title="No flow is alive that fits.">{filter === "" ? "Flows appear as soon as packets come." : "Loosen the filter (x clears it)."}</Empty>} />
      )}
    </section>
  );
}

const topColumns = [
  ...flowColumns.filter(({ key }) => ["client", "server", "protocol", "app", "bytes"].includes(key)).map((column) => ({
    ...column, cell: (row: TopRow) => column.cell(row.flow) })),
  { key: "bps", title: "Rate", width: "6rem", numeric: true, cell: (row: TopRow) => bitRate(row.bps) },
  { key: "pps", title: "Packets", width: "5.5rem", numeric: true, least: 760, cell: (row: TopRow) => packetRate(row.pps) },
];

export function Overview() {
  useEffect(watchOverview, []);
  useEffect(watchWhole, []);
  const start = tick.value?.start;
  return (
    <main class="overview">
      <h1 class="spoken">Overview</h1>
      {link.value.state === "ended" && <Notice kind="info">The run is over: these figures are final.</Notice>}
      {status.answer.value.value?.live === false && <Notice kind="info">{fileRead.value ? "A file was read to its end: this is what it holds." : "A file is read: times and rates are those of its packets."}</Notice>}
      {tick.value !== undefined && tick.value.counters === undefined && <Notice kind="info">Totals of the sensor are not told to this account: it sees a part of the traffic.</Notice>}
      <Cards />
      {fileRead.value ? <Report /> : <Charts />}
      <TopFlows />
      <Mix />
      <LatestAlerts />
      {start !== undefined && <p class="muted foot">Counting since {moment(start, zone.value)} · {span(now.value - start)}</p>}
    </main>
  );
}
