// A flow on its own: its two sides, what TCP says of its quality, its names, and the records that left so far.
import { Icon } from "../parts/icons.tsx";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { bitRate, bytes, count, share, span, unknown } from "../format/numbers.ts";
import { plain, tcpFlags, word } from "../format/names.ts";
import { clockMillis, moment } from "../format/times.ts";
import { Asked } from "../state/asked.ts";
import { copy } from "../state/commands.ts";
import { clientReason, conversation, type Conversation, qualities, type SideQuality, stateWord } from "../state/conversation.ts";
import { type Left, Records } from "../state/flows.ts";
import { go, linkTo, place, zone } from "../state/place.ts";
import { Chart, type Series } from "../parts/chart.tsx";
import { RateHistory } from "../state/history.ts";
import { Bar, End, Fact, Wire } from "../parts/small.tsx";
import { Empty, Loading, Notice, Problem } from "../parts/states.tsx";
import { call } from "../wire/call.ts";
import { Direction, EndReason, type Flow, SniStatus, TunnelKind } from "../wire/gen/netscope/v1/flow_pb.ts";
import { FlowService, type GetFlowResponse } from "../wire/gen/netscope/v1/flow_service_pb.ts";
import { enumName, known, knownNumber, millis, number } from "../wire/wire.ts";

const refresh_ms = 2000;
const record_count = 50;

function Sides({ flow, sides }: { flow: Flow; sides: Conversation }) {
  const total = Math.max(1, number(flow.bytesTotal));
  const side = (name: string, one: Conversation["client"], series: number) => (
    <tr>
      <th scope="row">{name}</th>
      <td><End end={one.end} />{one.end?.nameValue.case === "name" && <div class="mono muted">{one.end.ip}</div>}
        {one.end?.namespaceValue.case === "namespace" && <div class="muted">namespace <Wire text={one.end.namespaceValue.value} /></div>}</td>
      <td class="numeric">{bytes(one.bytes)}<Bar part={one.bytes / total} series={series} /></td>
      <td class="numeric">{count(one.packets)}</td>
    </tr>
  );
  return (
    <table class="sides">
      <thead><tr><th /><th scope="col">End</th><th scope="col" class="numeric">Bytes sent</th><th scope="col" class="numeric">Packets</th></tr></thead>
      <tbody>
        {side(sides.known ? "Client" : "A", sides.client, 1)}
        {side(sides.known ? "Server" : "B", sides.server, 2)}
      </tbody>
    </table>
  );
}

const warned = (value: number | undefined) => (value === undefined ? unknown : <span class={value > 0 ? "warning" : ""}>{count(value)}</span>);

function Quality({ flow }: { flow: Flow }) {
  const again = knownNumber(flow.retransmissionsValue);
  const packets = number(flow.packetsTotal);
  const sides = conversation(flow);
  const { client, server } = qualities(flow);
  const row = (name: string, hint: string, cell: (one: SideQuality) => ComponentChildren) => (
    <tr><th scope="row" title={hint}>{name}</th><td class="numeric">{cell(client)}</td><td class="numeric">{cell(server)}</td></tr>
  );
  return (
    <section aria-label="TCP quality">
      <h3>TCP quality</h3>
      <dl class="facts">
        <Fact name="State">{stateWord(flow) || unknown}</Fact>
        <Fact name="Zeek's state" title="conn_state and history">{known(flow.connStateValue) ?? unknown} <span class="mono muted">{known(flow.historyValue) ?? ""}</span></Fact>
        <Fact name="Handshake">{span(known(flow.handshakeRttMsValue))}</Fact>
        <Fact name="Round trip" title="of the far side: moving average, least, latest">
          {span(known(flow.rttEwmaMsValue))} <span class="muted">least {span(known(flow.rttMinMsValue))}, last {span(known(flow.rttLastMsValue))}, {count(number(flow.rttSamples))} samples</span>
        </Fact>
        <Fact name="Retransmitted">{warned(again)} {again !== undefined && <span class="muted">{share(packets === 0 ? 0 : again / packets)} of packets</span>}</Fact>
        {flow.duplicateFrames > 0n && <Fact name="Captured twice" title="equal frames within a second: the capture's doing, not the network's">{count(number(flow.duplicateFrames))}</Fact>}
      </dl>
      <table class="sides">
        <thead><tr><th scope="col">Sent by</th><th scope="col" class="numeric">{sides.known ? "Client" : "A"}</th><th scope="col" class="numeric">{sides.known ? "Server" : "B"}</th></tr></thead>
        <tbody>
          {row("Payload", "by sequence numbers, as Zeek's orig_bytes and resp_bytes", (one) => bytes(one.payload))}
          {row("Retransmitted", "as tshark counts it", (one) => warned(one.retransmissions))}
          {row("Out of order", "as tshark counts it", (one) => count(one.outOfOrder))}
          {row("Duplicate ACKs", "", (one) => count(one.duplicateAcks))}
          {row("Zero windows", "", (one) => count(one.zeroWindows))}
          {row("Bytes missed", "acknowledged, but never captured", (one) => bytes(one.missed))}
          {row("Round trip", "the least, from the other side's data to this side's ACK", (one) => span(one.roundTrip))}
          <tr>
            <th scope="row">Flags</th>
            <td class="numeric mono">{tcpFlags(sides.client.flags) || unknown}</td><td class="numeric mono">{tcpFlags(sides.server.flags) || unknown}</td>
          </tr>
        </tbody>
      </table>
    </section>
  );
}

function Names({ flow }: { flow: Flow }) {
  const rows: [string, string | undefined][] = [
    ["TLS server", known(flow.sniValue)], ["SNI", word(enumName(SniStatus, flow.sniStatus), "SNI_STATUS_") || undefined],
    ["TLS", known(flow.tlsVersionValue)], ["ECH", flow.echOffered ? "offered (or GREASE: nobody can tell)" : undefined],
    ["ALPN", known(flow.alpnValue)], ["JA3", known(flow.ja3Value)], ["JA4", known(flow.ja4Value)],
    ["DNS question", known(flow.dnsQueryValue)], ["DNS answer", known(flow.dnsRcodeValue)],
  ];
  const told = rows.filter(([, value]) => value !== undefined);
  if (told.length === 0) return null;
  return (
    <section aria-label="Names">
      <h3>Names</h3>
      <dl class="facts">{told.map(([name, value]) => <Fact key={name} name={name}><span class="mono"><Wire text={value ?? ""} /></span></Fact>)}</dl>
    </section>
  );
}

function Times({ flow }: { flow: Flow }) {
  const tunnel = flow.tunnel;
  const community = known(flow.communityIdValue);
  return (
    <section aria-label="Life">
      <h3>Life and place</h3>
      <dl class="facts">
        <Fact name="First seen">{moment(millis(flow.firstSeen), zone.value)}</Fact>
        <Fact name="Last seen">{moment(millis(flow.lastSeen), zone.value)}</Fact>
        <Fact name="Duration">{span(flow.durationSecs * 1000)}</Fact>
        <Fact name="Mean rate">{bitRate(known(flow.avgBpsValue))}</Fact>
        <Fact name="Client by">{clientReason(flow)}</Fact>
        <Fact name="Direction">{word(enumName(Direction, flow.direction), "DIRECTION_") || unknown}</Fact>
        <Fact name="Interface"><Wire text={[flow.interface, ...flow.observedAt].filter((one, at, all) => all.indexOf(one) === at).join(", ")} /> <span class="muted">on <Wire text={flow.node} /></span></Fact>
        {flow.vlanValue.case === "vlan" && <Fact name="VLAN">{flow.vlanValue.value}</Fact>}
        {tunnel !== undefined && <Fact name="Tunnel">{word(enumName(TunnelKind, tunnel.kind), "TUNNEL_KIND_")} {tunnel.id}{tunnel.peerIdValue.case === "peerId" && ` and ${tunnel.peerIdValue.value}`} <span class="mono muted">{tunnel.sourceIp} → {tunnel.targetIp}</span></Fact>}
        {community !== undefined && <Fact name="Community ID"><button type="button" class="plain mono" onClick={() => void copy(community, "the Community ID")}>{community}</button></Fact>}
        <Fact name="Id"><button type="button" class="plain mono" onClick={() => void copy(flow.id, "the id")}>{flow.id}</button></Fact>
        {flow.withheld.length > 0 && <Fact name="Withheld">{flow.withheld.map(plain).join(", ")}</Fact>}
      </dl>
    </section>
  );
}

/** The flow's rate while it is looked at: from one answer to the next. */
class Rate {
  private readonly history = new RateHistory(1800);
  private bytes = -1;
  private at = 0;

  add(bytes: number, at: number): void {
    if (this.bytes >= 0 && at > this.at) this.history.add(at, (Math.max(0, bytes - this.bytes) * 8000) / (at - this.at), 0);
    if (at > this.at) [this.bytes, this.at] = [bytes, at];
  }

  series(width: number): Series {
    const to = this.at / 1000;
    const told = this.history.since(to - 300, width);
    return { times: told.times, values: told.bits, gaps: [], from: to - Math.min(300, Math.max(60, to - (this.history.first ?? to))), to };
  }
}

function RateChart({ asked }: { asked: Asked<GetFlowResponse> }) {
  const rate = useMemo(() => new Rate(), [asked]);
  const series = useMemo(() => (width: number): Series => {
    const { value, at } = asked.answer.value;
    if (value?.flow !== undefined && at > 0) rate.add(number(value.flow.bytesTotal), at);
    return rate.series(width);
  }, [asked, rate]);
  return <section class="rate"><Chart label="Rate, both directions, while this is open" unit="b/s" colour={1} zone={zone.value} series={series} /></section>;
}

const kinds = ["", "began", "goes on", "ended"];

function History({ records }: { records: Records }) {
  const rows = records.rows.value;
  return (
    <section aria-label="Records">
      <h3>Records</h3>
      {records.position.gaps.value.map((gap) => <Notice key={gap} kind="loss">{gap}</Notice>)}
      {rows.length === 0 ? <p class="muted">None has left yet: one is made when the flow ends, and at intervals while it lives.</p> : (
        <table class="plain-table">
          <thead><tr><th scope="col">Time</th><th scope="col">What</th><th scope="col" class="numeric">Bytes</th><th scope="col" class="numeric">Packets</th></tr></thead>
          <tbody>{rows.map((row) => <RecordRow key={row.sequence} row={row} />)}</tbody>
        </table>
      )}
    </section>
  );
}

function RecordRow({ row }: { row: Left }) {
  const why = word(enumName(EndReason, row.flow.reason), "END_REASON_");
  return (
    <tr>
      <td class="mono">{clockMillis(millis(row.flow.lastSeen), zone.value)}</td>
      <td>{kinds[row.kind]} {why !== "" && <span class="muted">{why}</span>}</td>
      <td class="numeric">{bytes(number(row.flow.bytesTotal))}</td>
      <td class="numeric">{count(number(row.flow.packetsTotal))}</td>
    </tr>
  );
}

function Actions({ flow }: { flow: Flow }) {
  const community = known(flow.communityIdValue);
  const { client, server } = conversation(flow);
  const filter = (text: string): string => linkTo({ view: "flows", filter: text });
  return (
    <p class="actions">
      {community !== undefined && <a href={linkTo({ view: "packets", filter: `community-id:${community}` })}>Packets</a>}
      {client.end !== undefined && <a href={filter(`ip:${client.end.ip}`)}>Flows of the client</a>}
      {server.end !== undefined && <a href={filter(`to-ip:${server.end.ip}${server.end.port > 0 && ["tcp", "udp", "sctp"].includes(flow.protocol) ? ` to-port:${server.end.port}` : ""}`)}>Flows to this service</a>}
    </p>
  );
}

export function FlowDetail({ id, last }: { id: string; last?: Flow | undefined }) {
  const asked = useMemo(() => new Asked<GetFlowResponse>((abort) => call(FlowService.method.getFlow, { id }, abort), refresh_ms), [id]);
  useEffect(() => {
    void asked.now();
    return () => asked.stop();
  }, [asked]);
  const { value, refusal } = asked.answer.value;
  const records = useMemo(() => new Records(`id:${id}`, record_count), [id]);
  useEffect(() => records.stop, [records]);
  const known_last = useRef<{ id: string; flow: Flow | undefined }>({ id, flow: undefined });
  const told = refusal === undefined ? value?.flow : undefined;
  if (known_last.current.id !== id) known_last.current = { id, flow: undefined };
  known_last.current.flow = told ?? records.rows.value[0]?.flow ?? last ?? known_last.current.flow ?? value?.flow;
  const flow = known_last.current.flow;
  const live = refusal === undefined && value?.live === true;
  const whole = place.value.page;
  return (
    <article class={whole ? "detail whole" : "detail"} aria-label="Flow">
      <header>
        <h2>{flow === undefined ? "Flow" : <>{flow.protocol} <End end={conversation(flow).client.end} /> <span class="muted">→</span> <End end={conversation(flow).server.end} /></>}</h2>
        <span class={live ? "ok" : "muted"}>{value === undefined && refusal === undefined ? "" : live ? "alive" : "ended"}</span>
        <button type="button" title={whole ? "Beside the list" : "On the whole page (Enter)"} aria-label={whole ? "Beside the list" : "On the whole page"} onClick={() => go({ page: !whole })}><Icon name={whole ? "narrow" : "widen"} /></button>
        <button type="button" aria-label="Close (Esc)" title="Close (Esc)" onClick={() => go({ id: "", page: false })}><Icon name="close" /></button>
      </header>
      {refusal?.code === "not_found" && flow !== undefined && <Notice kind="info">It is not alive any more: this is what was known last.</Notice>}
      {flow === undefined && refusal === undefined && <Loading what="the flow" />}
      {flow === undefined && refusal !== undefined && (refusal.code === "not_found"
        ? <Empty title="This flow is not kept any more.">Records that left may still be below.</Empty>
        : <Problem refusal={refusal} retry={() => void asked.now()} />)}
      <div class="detail-parts">
        {flow !== undefined && <section><h3>Ends</h3><Sides flow={flow} sides={conversation(flow)} /><Actions flow={flow} /></section>}
        {live && <RateChart asked={asked} />}
        {flow?.protocol === "tcp" && <Quality flow={flow} />}
        {flow !== undefined && <Names flow={flow} />}
        {flow !== undefined && <Times flow={flow} />}
        <History records={records} />
      </div>
    </article>
  );
}
