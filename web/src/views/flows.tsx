// Flows: those that are alive in pages and in any order, or records as they leave; beside them the one that is looked at.
import { useEffect, useMemo } from "preact/hooks";
import { count, unknown } from "../format/numbers.ts";
import { word } from "../format/names.ts";
import { age, clockMillis } from "../format/times.ts";
import { addCommands, copy } from "../state/commands.ts";
import { conversation } from "../state/conversation.ts";
import { type Left, list, listed_most, more, Records, tooLongToRefresh, watchList } from "../state/flows.ts";
import { go, place, zone } from "../state/place.ts";
import { shownScope } from "../state/scope.ts";
import { now, status } from "../state/sensor.ts";
import { watchWhole, whole, whole_most, wholeOrdered } from "../state/whole.ts";
import { type Order, orders } from "../state/url.ts";
import { Choices } from "../parts/small.tsx";
import { Empty, Loading, Notice, Problem } from "../parts/states.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { EndReason, type Flow } from "../wire/gen/netscope/v1/flow_pb.ts";
import { enumName, millis } from "../wire/wire.ts";
import { socket } from "../format/names.ts";
import { flowColumns } from "./flow_columns.tsx";
import { FlowDetail } from "./flow_detail.tsx";

const choose = (by: string): void => {
  const order: Order | undefined = orders.find((one) => one === by);
  const before = place.peek();
  if (order !== undefined) go({ order, reverse: before.order === order ? !before.reverse : false });
};

const NoneFits = ({ filter }: { filter: string }) =>
  filter === "" ? <Empty title="No flow is alive.">Flows appear as soon as packets come, and leave when they end: their records are under “As they leave”.</Empty>
    : <Empty title="No flow fits the filter.">Loosen <code>{filter}</code>; x clears it.</Empty>;

function Scope({ children }: { children: preact.ComponentChildren }) {
  const { live } = place.value;
  const scope = shownScope.value ?? "all";
  const isFile = status.answer.value.value?.live === false;
  return (
    <div class="panel-head">
      <Choices label="Which flows" value={scope} choose={(next) => go({ scope: next })}
        all={[...(isFile ? [{ value: "all" as const, label: "All" }] : []), { value: "alive", label: "Alive now" }, { value: "records", label: isFile ? "Ended" : "As they leave" }]} />
      {scope === "alive" && <button type="button" aria-pressed={live} onClick={() => go({ live: !live })} title="Ask again every 2 s">Follow</button>}
      {children}
    </div>
  );
}

function Alive() {
  const { filter, order, reverse, id, live } = place.value;
  const { value, refusal, loading, at } = list.answer.value;
  useEffect(watchList, []);
  const rows = value?.flows ?? [];
  const open = (row: string): void => go({ id: row, page: true });
  return (
    <>
      <Scope>
        <span class="muted">{value === undefined ? "" : `${count(rows.length)} of ${value.total === undefined ? unknown : count(value.total)}`}</span>
        <span class="grow" />
        {live && tooLongToRefresh() && <span class="muted">long lists are not refreshed</span>}
        {(!live || tooLongToRefresh()) && at > 0 && <span class="muted">{age(now.value - at)} old</span>}
        <button type="button" onClick={() => void list.now()} disabled={loading && value === undefined}>Refresh</button>
      </Scope>
      {value !== undefined && value.limits.length > 0 && <Notice kind="info">This account sees only {value.limits.join(", ")}.</Notice>}
      {refusal !== undefined && value !== undefined && <Notice kind="warning">Not refreshed: {refusal.message}</Notice>}
      {refusal !== undefined && value === undefined ? <Problem refusal={refusal} retry={() => void list.now()} /> : (
        <Table<Flow> label="Flows" rows={rows} idOf={(flow) => flow.id} columns={flowColumns} selected={id} select={(next) => go({ id: next })} open={open}
          order={{ by: order, reverse, choose }} question={`${filter}|${order}|${reverse}|${Math.ceil(rows.length / 200)}`} holds total={value?.total}
          nearEnd={() => { if (!loading) void more(); }} empty={loading ? <Loading what="flows" /> : <NoneFits filter={filter} />} />
      )}
      {rows.length >= listed_most && <Notice kind="info">The first {count(listed_most)} are shown: narrow the filter, or take all with netscopectl (n copies the command).</Notice>}
    </>
  );
}

function All() {
  const { filter, order, reverse, id } = place.value;
  const { value, refusal, loading } = whole.answer.value;
  const rows = wholeOrdered.value;
  useEffect(watchWhole, []);
  return (
    <>
      <Scope><span class="muted">{value === undefined ? "" : `${count(rows.length)} flows`}</span></Scope>
      {value?.partial && <Notice kind="info">There are more than {count(whole_most)}: narrow the filter, or take all by --export-json.</Notice>}
      {refusal !== undefined && value === undefined ? <Problem refusal={refusal} retry={() => void whole.now()} /> : (
        <Table<Flow> label="Flows" rows={rows} idOf={(flow) => flow.id} columns={flowColumns} selected={id} select={(next) => go({ id: next })} open={(row) => go({ id: row, page: true })}
          order={{ by: order, reverse, choose }} question={`${filter}|${order}|${reverse}`} holds={false}
          empty={value === undefined || loading ? <Loading what="flows" /> : <NoneFits filter={filter} />} />
      )}
    </>
  );
}

const leftColumns: readonly Column<Left>[] = [
  { key: "time", title: "Left", width: "7rem", narrow: true, cell: ({ flow }) => <span class="mono">{clockMillis(millis(flow.lastSeen), zone.value)}</span> },
  { key: "why", title: "Why", width: "5rem", least: 640, cell: ({ flow }) => word(enumName(EndReason, flow.reason), "END_REASON_") },
  ...flowColumns.filter(({ key }) => !["last", "first"].includes(key)).map(({ sort: _, narrow, ...column }) => ({
    ...column, ...(narrow && column.key !== "protocol" ? { narrow } : {}), cell: (row: Left) => column.cell(row.flow) })),
];

function Leaving() {
  const { filter, id } = place.value;
  const records = useMemo(() => new Records(filter, 2000), [filter]);
  useEffect(() => records.stop, [records]);
  const rows = records.rows.value;
  const state = records.position.link.value;
  const selected = rows.find((row) => row.flow.id === id)?.sequence ?? "";
  const pick = (sequence: string): void => go({ id: rows.find((row) => row.sequence === sequence)?.flow.id ?? "" });
  return (
    <>
      <Scope><span class="muted">{count(rows.length)} records{state.state === "ended" ? " · the run is over" : state.state === "disconnected" ? " · disconnected" : ""}</span></Scope>
      {records.position.gaps.value.slice(-3).map((gap) => <Notice key={gap} kind="loss">{gap}</Notice>)}
      {state.state === "refused" ? <Problem refusal={state.refusal} retry={records.retry} /> : (
        <Table<Left> label="Records" rows={rows} idOf={(row) => row.sequence} columns={leftColumns} selected={selected} select={pick}
          open={(sequence) => { pick(sequence); go({ page: true }); }} question={filter} holds
          empty={state.state === "connecting" ? <Loading what="records" /> : <Empty title="No record has left yet.">{filter === "" ? "One leaves when a flow ends." : "None that fits the filter, which x clears."}</Empty>} />
      )}
    </>
  );
}

function copySelected(): void {
  const { id } = place.peek();
  const flow = [list, whole].map(({ answer }) => answer.peek().value?.flows.find((one) => one.id === id)).find((one) => one !== undefined);
  if (flow === undefined) return;
  const { client, server } = conversation(flow);
  const text = [client, server].map(({ end }) => (end === undefined ? "" : socket(end.ip, end.port))).join(" ");
  void copy(`${flow.protocol} ${text}`, "the flow");
}

export function Flows() {
  const { id, page } = place.value;
  const scope = shownScope.value;
  useEffect(() => addCommands([
    { name: "Copy the selected flow", keys: ["c"], run: copySelected },
    { name: "Close the flow", keys: ["Escape"], run: () => go(place.peek().page ? { page: false } : { id: "" }) },
    { name: "Open the flow", keys: ["Enter"], run: () => { if (place.peek().id !== "") go({ page: true }); } },
  ]), []);
  const known = scope === "alive" ? list.answer.value.value?.flows : whole.answer.value.value?.flows;
  const last = known?.find((flow) => flow.id === id);
  return (
    <main class={`flows ${id === "" ? "" : page ? "page" : "beside"}`}>
      <h1 class="spoken">Flows</h1>
      {!page && <section class="panel list" aria-label="Flows">{scope === "alive" ? <Alive /> : scope === "records" ? <Leaving /> : <All />}</section>}
      {id !== "" && <FlowDetail id={id} last={last} />}
    </main>
  );
}
