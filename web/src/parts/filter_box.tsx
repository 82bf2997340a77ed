// The filter: text with completion. Enter or leaving the box applies it; what is wrong is told below, and not applied.
import { Icon } from "./icons.tsx";
import { useEffect, useRef, useState } from "preact/hooks";
import { plain } from "../format/names.ts";
import { readFilter } from "../state/filter.ts";
import { type Hint, hintsFor, wordAt } from "../state/hints.ts";
import { go, place } from "../state/place.ts";
import { inputValue } from "../wire/wire.ts";

const hint_pause_ms = 120;

function useHints(text: string, cursor: number, open: boolean): Hint[] {
  const [hints, setHints] = useState<Hint[]>([]);
  useEffect(() => {
    if (!open) {
      setHints([]);
      return undefined;
    }
    const control = new AbortController();
    const timer = setTimeout(() => {
      hintsFor(text, cursor, control.signal).then(
        (found) => !control.signal.aborted && setHints(found),
        () => !control.signal.aborted && setHints([]), // completion is an extra: its refusals are not told
      );
    }, hint_pause_ms);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [text, cursor, open]);
  return hints;
}

export function FilterBox() {
  const applied = place.value.filter;
  const [text, setText] = useState(applied);
  const [cursor, setCursor] = useState(0);
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const hints = useHints(text, cursor, open);
  useEffect(() => setText(applied), [applied]);
  const wrong = readFilter(text).wrong;

  const write = (next: string, at = next.length): void => {
    setText(next);
    setCursor(at);
    setChosen(-1);
  };
  const apply = (next = text): void => {
    if (readFilter(next).wrong.length === 0) go({ filter: next.trim() });
  };
  const take = (hint: Hint): void => {
    const { before, after } = wordAt(text, cursor);
    const next = `${before}${hint.text}${after.trimStart()}`;
    write(next, before.length + hint.text.length);
    if (hint.text.endsWith(" ")) apply(next);
    input.current?.focus();
  };
  const step = (by: number): void => {
    if (!open) setOpen(true);
    else setChosen((at) => (hints.length === 0 ? -1 : (at + by + hints.length) % hints.length));
  };
  const onKey = (event: KeyboardEvent): void => {
    const hint = hints[chosen] ?? (event.key === "Tab" && open && wordAt(text, cursor).word !== "" ? hints[0] : undefined);
    const acts: Record<string, () => void> = {
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      Enter: () => {
        if (hint !== undefined) return take(hint);
        apply();
        return setOpen(false);
      },
      Escape: () => (open ? setOpen(false) : input.current?.blur()),
    };
    if (event.key === "Tab" && hint !== undefined && !event.shiftKey) acts.Tab = () => take(hint);
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  return (
    <div class="filter" role="search">
      <input
        ref={input} id="filter" type="text" spellcheck={false} autocomplete="off" placeholder="Filter: 10.0.0.0/8 port:443 -app:dns"
        role="combobox" aria-label="Filter of flows and packets" aria-expanded={open && hints.length > 0} aria-controls="hints" aria-autocomplete="list"
        aria-activedescendant={chosen >= 0 ? `hint-${chosen}` : undefined} aria-invalid={wrong.length > 0} aria-describedby={wrong.length > 0 ? "wrong" : undefined}
        value={text}
        onInput={(event) => {
          write(inputValue(event), event.currentTarget.selectionStart ?? 0);
          setOpen(true);
        }}
        onClick={(event) => setCursor(event.currentTarget.selectionStart ?? 0)}
        onFocus={(event) => {
          setCursor(event.currentTarget.selectionStart ?? 0);
          setOpen(true);
        }}
        onBlur={() => {
          setOpen(false);
          apply();
        }}
        onKeyDown={onKey}
      />
      {text !== "" && <button type="button" class="clear" aria-label="Clear the filter" onClick={() => { write(""); go({ filter: "" }); }}><Icon name="close" /></button>}
      <ul id="hints" class="popup hints" role="listbox" aria-label="What the filter could go on with" hidden={!open || hints.length === 0}>
        {hints.map((hint, at) => (
          <li key={hint.text} id={`hint-${at}`} role="option" aria-selected={at === chosen}
            onPointerDown={(event) => { event.preventDefault(); take(hint); }}>
            <bdi class="mono">{plain(hint.label)}</bdi> <span class="muted">{hint.note}</span>
          </li>
        ))}
      </ul>
      {wrong.length > 0 && !(open && hints.length > 0) && <p id="wrong" class="popup wrong">{wrong.map((one) => one.sentence).join("; ")}</p>}
    </div>
  );
}
