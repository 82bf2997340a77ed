// All flows of files that were read: those still in the table, and the records of those that ended, which the sensor keeps.
import { computed, effect } from "@preact/signals";
import { call } from "../wire/call.ts";
import type { Flow } from "../wire/gen/netscope/v1/flow_pb.ts";
import { FlowOrder, FlowService } from "../wire/gen/netscope/v1/flow_service_pb.ts";
import { collect } from "../wire/stream.ts";
import { Asked } from "./asked.ts";
import { readFilter } from "./filter.ts";
import { ordered } from "./order.ts";
import { place } from "./place.ts";
import { fileRead, instance } from "./sensor.ts";

export const whole_most = 10_000;
const page_size = 1000;

export interface Whole {
  flows: Flow[];
  partial: boolean; // there are more than are shown
}

type Selection = Pick<ReturnType<typeof readFilter>, "allow" | "deny">;

async function addAlive(into: Map<string, Flow>, selection: Selection, abort: AbortSignal): Promise<boolean> {
  let token = "";
  for (let page = 0; page < whole_most / page_size; page++) {
    const told = await call(FlowService.method.listFlows, { ...selection, order: FlowOrder.BYTES, pageSize: page_size, pageToken: token }, abort);
    for (const flow of told.flows) into.set(flow.id, flow);
    token = told.nextPageToken;
    if (token === "") return false;
  }
  return true;
}

/** The records that left; the last one of a flow stands for it. True when the log had lost some. */
async function addEnded(into: Map<string, Flow>, selection: Selection, abort: AbortSignal): Promise<boolean> {
  let lost = false;
  const request = { ...selection, options: { follow: false, start: { from: { case: "last" as const, value: whole_most } } } };
  await collect(FlowService.method.watchFlows, request, (told) => {
    if (told.gaps.length > 0) lost = true;
    for (const { flow } of told.events) if (flow !== undefined) into.set(flow.id, flow);
  }, abort);
  return lost || into.size >= whole_most;
}

export const whole = new Asked<Whole>(async (abort) => {
  const { allow, deny } = readFilter(place.peek().filter);
  const flows = new Map<string, Flow>();
  const lost = await addEnded(flows, { allow, deny }, abort);
  const more = await addAlive(flows, { allow, deny }, abort);
  return { flows: [...flows.values()], partial: lost || more };
});

export const wholeOrdered = computed(() => ordered(whole.answer.value.value?.flows ?? [], place.value.order, place.value.reverse));

let question: string | undefined;

/** Asks when the files were read, and anew for another filter: nothing else changes any more, whichever view is left. */
export const watchWhole = (): (() => void) =>
  effect(() => {
    const { filter } = place.value;
    const next = `${instance.value} ${filter}`;
    if (!fileRead.value || next === question) return;
    question = next;
    void whole.now(true);
  });
