// Unary calls by the Connect protocol, same origin, relative to where the page lies.
import { create, type DescMessage, type DescMethodUnary, fromBinary, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { authorization } from "./credentials.ts";
import { asRefusal, Refusal, refusalOf } from "./refusal.ts";

const call_timeout_ms = 15_000;

/** Connect's code for an HTTP status that came without one. */
function codeOfStatus(status: number): string {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "permission_denied";
  if (status === 404) return "unimplemented";
  return status === 429 || status === 502 || status === 503 || status === 504 ? "unavailable" : "internal";
}

export async function refusalOfResponse(response: Response): Promise<Refusal> {
  let json: unknown;
  try {
    json = await response.json();
  } catch {
    json = undefined; // a proxy's own page
  }
  const refusal = refusalOf(json, codeOfStatus(response.status), `the server answered ${response.status} ${response.statusText}`);
  refusal.wantsPassword = /^basic/iu.test(response.headers.get("WWW-Authenticate") ?? "");
  return refusal;
}

function withTimeout(outer: AbortSignal | undefined): { signal: AbortSignal; done: () => void } {
  const control = new AbortController();
  const abort = (): void => control.abort();
  const timer = setTimeout(abort, call_timeout_ms);
  outer?.addEventListener("abort", abort);
  return {
    signal: control.signal,
    done: () => {
      clearTimeout(timer);
      outer?.removeEventListener("abort", abort);
    },
  };
}

let first: Promise<unknown> | undefined;
let shut: Refusal | undefined;

/** Asks again, though the sensor did not want this caller. */
export function tryAgain(): void {
  first = undefined;
  shut = undefined;
}

async function noting<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    const refusal = asRefusal(thrown);
    if (refusal.code === "unauthenticated") shut = refusal;
    throw refusal;
  }
}

/** The first request goes alone, and when its caller is refused no other follows: each would count as a failed login. */
export function inTurn<T>(ask: () => Promise<T>): Promise<T> {
  if (first === undefined) {
    const answer = noting(ask());
    first = answer.catch(() => undefined);
    return answer;
  }
  return first.then(() => {
    if (shut !== undefined) throw shut;
    return noting(ask());
  });
}

/** Calls a method; throws a Refusal. */
export const call = <I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  signal?: AbortSignal,
): Promise<MessageShape<O>> => inTurn(() => callNow(method, request, signal));

async function callNow<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  signal?: AbortSignal,
): Promise<MessageShape<O>> {
  const limit = withTimeout(signal);
  try {
    const response = await fetch(`${method.parent.typeName}/${method.name}`, {
      method: "POST",
      headers: { "Content-Type": "application/proto", "Connect-Protocol-Version": "1", ...authorization() },
      body: new Uint8Array(toBinary(method.input, create(method.input, request))),
      signal: limit.signal,
      cache: "no-store",
    });
    if (!response.ok) throw await refusalOfResponse(response);
    return fromBinary(method.output, new Uint8Array(await response.arrayBuffer()));
  } catch (thrown) {
    if (limit.signal.aborted && !signal?.aborted) throw new Refusal("deadline_exceeded", "the sensor did not answer within 15 s");
    throw asRefusal(thrown);
  } finally {
    limit.done();
  }
}

/** A ticket for one WebSocket: a browser cannot put credentials on one. */
export const ticket = (): Promise<string> => inTurn(ticketNow);

async function ticketNow(): Promise<string> {
  const response = await fetch("ticket", { method: "POST", headers: authorization(), cache: "no-store" });
  if (!response.ok) throw await refusalOfResponse(response);
  const { ticket: told } = await response.json();
  if (typeof told !== "string") throw new Refusal("internal", "the server gave no ticket");
  return told;
}
