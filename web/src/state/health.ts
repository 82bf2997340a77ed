// What Health asks for beside the status, which the whole page has.
import { call } from "../wire/call.ts";
import { type GetConfigResponse, type ListInterfacesResponse, SensorService } from "../wire/gen/netscope/v1/sensor_pb.ts";
import { metrics, type Sample } from "../wire/metrics.ts";
import { Asked } from "./asked.ts";
import { status } from "./sensor.ts";

export const interfaces = new Asked<ListInterfacesResponse>((abort) => call(SensorService.method.listInterfaces, {}, abort), 3000);
export const settings = new Asked<GetConfigResponse>((abort) => call(SensorService.method.getConfig, {}, abort), 30_000);
export const counters = new Asked<Sample[]>(metrics, 3000);

export function watchHealth(): () => void {
  void status.now();
  void interfaces.now();
  void settings.now();
  void counters.now();
  return () => {
    interfaces.stop();
    settings.stop();
    counters.stop();
  };
}
