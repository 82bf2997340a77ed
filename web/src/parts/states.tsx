// How a view looks that has nothing to show: still loading, nothing fits, refused.
import type { ComponentChildren } from "preact";
import { plain } from "../format/names.ts";
import type { Refusal } from "../wire/refusal.ts";

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children !== undefined && <p>{children}</p>}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="empty" aria-busy="true">
      <span class="muted">Loading {what} …</span>
    </div>
  );
}

export function Problem({ refusal, retry, children }: { refusal: Refusal; retry?: (() => void) | undefined; children?: ComponentChildren }) {
  return (
    <div class="problem" role="group" aria-label="Refused">
      <code>{refusal.code}{refusal.reason === "" ? "" : ` · ${refusal.reason}`}</code>
      <p>{plain(refusal.message)}</p>
      {refusal.fields.length > 0 && (
        <ul>
          {refusal.fields.map((field) => (
            <li key={field.path}><code>{plain(field.path)}</code> {plain(field.sentence)}</li>
          ))}
        </ul>
      )}
      {children}
      {retry !== undefined && <button type="button" onClick={retry}>Try again</button>}
    </div>
  );
}

/** A line above a list: what of it is old, missing or held back. */
export function Notice({ kind, children }: { kind: "loss" | "info" | "warning"; children: ComponentChildren }) {
  return <p class={`notice ${kind}`}>{children}</p>;
}
