// What the overview asks for: the heaviest flows and the mix, of the flows that the filter fits.
import { effect } from "@preact/signals";
import { call } from "../wire/call.ts";
import { FlowService, type FilterHintsResponse, HintField, type TopFlowsResponse } from "../wire/gen/netscope/v1/flow_service_pb.ts";
import { Asked } from "./asked.ts";
import { readFilter } from "./filter.ts";
import { flowOrders } from "./flows.ts";
import { pageSettings } from "./page_settings.ts";
import { place } from "./place.ts";
import { fileRead } from "./sensor.ts";

const mix_limit = 6;
const selectionOf = () => {
  const { allow, deny } = readFilter(place.peek().filter);
  return { allow, deny };
};

export const top = new Asked<TopFlowsResponse>(
  (abort) => call(FlowService.method.topFlows, { ...selectionOf(), order: flowOrders[place.peek().order], limit: pageSettings.top_count }, abort), 2000);

const hintsOf = (field: HintField, abort: AbortSignal): Promise<FilterHintsResponse> =>
  call(FlowService.method.filterHints, { ...selectionOf(), field, limit: mix_limit }, abort);

export const mix = new Asked<[FilterHintsResponse, FilterHintsResponse, FilterHintsResponse]>(
  (abort) => Promise.all([hintsOf(HintField.PROTOCOL, abort), hintsOf(HintField.APP, abort), hintsOf(HintField.SERVER_PORT, abort)]), 5000);

/** Asks while the overview is shown, and anew when the question changes; of a file that was read to its end nothing, as all of
 * its flows are shown then. */
export function watchOverview(): () => void {
  let question = "";
  const stop = effect(() => {
    const { filter, order } = place.value;
    if (fileRead.value) {
      question = "";
      top.stop();
      mix.stop();
      return;
    }
    const fresh = question !== "" && question.split("\n")[1] !== filter;
    if (question === `${order}\n${filter}`) return;
    question = `${order}\n${filter}`;
    void top.now(fresh);
    void mix.now(fresh);
  });
  return () => {
    stop();
    top.stop();
    mix.stop();
  };
}
