// Why a call or a stream was not answered: Connect's codes, and the details that the sensor adds.
import { fromBinary } from "@bufbuild/protobuf";
import { BadRequestSchema, ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.ts";
import { members } from "./wire.ts";

/** A field of the request that is wrong: "allow[0].client.ports[1].min". */
export interface WrongField {
  path: string;
  sentence: string;
}

export class Refusal extends Error {
  /** The server takes a name and a password, for which the browser asks: not a token. */
  wantsPassword = false;

  constructor(
    readonly code: string,
    message: string,
    readonly reason = "",
    readonly fields: WrongField[] = [],
  ) {
    super(message);
  }

  /** Nobody answered, or he could not right now: trying again may help. */
  get passing(): boolean {
    return ["unavailable", "deadline_exceeded", "resource_exhausted", "aborted", "unknown"].includes(this.code);
  }
}

function bytesOfBase64(text: string): Uint8Array {
  const binary = atob(text);
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

interface Details {
  reason: string;
  fields: WrongField[];
}

function addDetail(into: Details, detail: unknown): void {
  const { type, value } = members(detail);
  if (typeof type !== "string" || typeof value !== "string") return;
  if (type.endsWith("google.rpc.ErrorInfo")) into.reason = fromBinary(ErrorInfoSchema, bytesOfBase64(value)).reason;
  if (type.endsWith("google.rpc.BadRequest"))
    for (const violation of fromBinary(BadRequestSchema, bytesOfBase64(value)).fieldViolations)
      into.fields.push({ path: violation.field, sentence: violation.description });
}

/** The refusal that a body of Connect's JSON tells; `fallback` is the code when it tells none. */
export function refusalOf(json: unknown, fallback: string, sentence: string): Refusal {
  const { code, message, details } = members(json);
  const told: Details = { reason: "", fields: [] };
  try {
    if (Array.isArray(details)) for (const detail of details) addDetail(told, detail);
  } catch {
    told.fields = []; // details that cannot be read are left out: code and sentence stand
  }
  return new Refusal(
    typeof code === "string" ? code : fallback,
    typeof message === "string" && message !== "" ? message : sentence,
    told.reason,
    told.fields,
  );
}

/** Whatever was thrown, as a refusal. */
export function asRefusal(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  const sentence = thrown instanceof Error ? thrown.message : String(thrown);
  return new Refusal("unavailable", `the sensor did not answer (${sentence})`);
}
