// A table of many rows: real rows and cells, of which only those are drawn that can be seen. Order holds while pointer, focus,
// selection or scroll is in it; Space, or the line above, lets it go on. A row is selected when the button goes down: until it
// comes up, another row may stand there.
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { count } from "../format/numbers.ts";
import { addCommands } from "../state/commands.ts";
import { hold, moved, windowOf } from "./rows.ts";

export interface Column<Row> {
  key: string;
  title: string;
  hint?: string;
  width: string; // of CSS; "" takes what is left
  numeric?: boolean;
  narrow?: boolean; // shown at 400 px, too
  least?: number; // px of the table from which on it is shown
  sort?: string;
  cell: (row: Row) => ComponentChildren;
}

interface Props<Row> {
  label: string;
  rows: readonly Row[];
  idOf: (row: Row) => string;
  columns: readonly Column<Row>[];
  selected: string;
  select: (id: string) => void;
  open?: (id: string) => void;
  order?: { by: string; reverse: boolean; choose: (by: string) => void };
  question: string; // another one: nothing of the order holds
  holds: boolean;
  classOf?: (row: Row) => string;
  total?: number | undefined;
  empty: ComponentChildren;
  nearEnd?: () => void;
}

const row_px = matchMedia("(pointer: coarse)").matches ? 32 : 24;
const head_px = 26;
const usual_px = 620; // from which on a column is shown that says nothing else

/** The rows as they are shown: held, or as they are. */
function useHeld<Row>({ rows, idOf, question, holds }: Props<Row>, busy: boolean) {
  const before = useRef<{ question: string; rows: readonly Row[] }>({ question: "", rows: [] });
  const [released, release] = useState(0);
  const seen = useRef(released);
  const held = holds && busy && before.current.question === question && seen.current === released && before.current.rows.length > 0;
  const shown = held ? hold(before.current.rows, rows, idOf) : { rows, gone: new Set<string>(), waiting: 0 };
  useLayoutEffect(() => {
    before.current = { question, rows: shown.rows };
    seen.current = released;
  });
  return { ...shown, held, release: useCallback(() => release((times) => times + 1), []) };
}

/** Where the scrolled part stands, and how large it is. */
function useView() {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ scroll: 0, height: 400, width: 1000 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const read = (): void => setView({ scroll: element.scrollTop, height: element.clientHeight, width: element.clientWidth });
    const observer = new ResizeObserver(read);
    observer.observe(element);
    element.addEventListener("scroll", read, { passive: true });
    read();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", read);
    };
  }, []);
  return { box, view };
}

function Head<Row>({ columns, order }: { columns: readonly Column<Row>[]; order: Props<Row>["order"] }) {
  const sorted = (column: Column<Row>): "ascending" | "descending" | "none" | undefined =>
    column.sort === undefined ? undefined : order?.by !== column.sort ? "none" : order.reverse ? "ascending" : "descending";
  return (
    <thead>
      <tr aria-rowindex={1}>
        {columns.map((column) => (
          <th key={column.key} scope="col" class={column.numeric ? "numeric" : ""} title={column.hint} aria-sort={sorted(column)}>
            {column.sort === undefined || order === undefined ? column.title : (
              <button type="button" tabIndex={-1} onClick={() => order.choose(column.sort ?? "")}>
                {column.title}
                <span aria-hidden="true">{sorted(column) === "descending" ? " ↓" : sorted(column) === "ascending" ? " ↑" : ""}</span>
              </button>
            )}
          </th>
        ))}
      </tr>
    </thead>
  );
}

const Spacer = ({ rows, span }: { rows: number; span: number }) =>
  rows > 0 ? <tr aria-hidden="true" class="spacer"><td colSpan={span} style={{ height: `${rows * row_px}px` }} /></tr> : null;

interface BodyProps<Row> extends Pick<Props<Row>, "idOf" | "selected" | "select" | "open" | "classOf"> {
  name: string;
  rows: readonly Row[];
  first: number;
  end: number;
  columns: readonly Column<Row>[];
  gone: ReadonlySet<string>;
}

function Body<Row>({ name, rows, first, end, columns, gone, idOf, selected, select, open, classOf }: BodyProps<Row>) {
  return (
    <tbody>
      <Spacer rows={first} span={columns.length} />
      {rows.slice(first, end).map((row, offset) => {
        const id = idOf(row);
        return (
          <tr
            key={id} id={`${name}-${first + offset}`} aria-rowindex={first + offset + 2} aria-selected={id === selected}
            class={`${gone.has(id) ? "gone" : ""} ${classOf?.(row) ?? ""}`} onMouseDown={(event) => event.button === 0 && select(id)} onClick={() => select(id)} onDblClick={() => open?.(id)}
          >
            {columns.map((column) => <td key={column.key} class={column.numeric ? "numeric" : ""}>{column.cell(row)}</td>)}
          </tr>
        );
      })}
      <Spacer rows={rows.length - end} span={columns.length} />
    </tbody>
  );
}

/** Keys that move the selection, from anywhere in the page; the latest functions are called. */
function useRowKeys(step: (key: string) => boolean, release: () => void): void {
  const latest = useRef({ step, release });
  latest.current = { step, release };
  useEffect(() => addCommands([
    { name: "Next row", keys: ["j", "ArrowDown", "]"], run: () => void latest.current.step("j") },
    { name: "Row before", keys: ["k", "ArrowUp", "["], run: () => void latest.current.step("k") },
    { name: "Let the held order go on", keys: [" "], run: () => latest.current.release() },
  ]), []);
}

/** Scrolls so far that the row of this index can be seen. */
function reveal(element: HTMLElement | null, index: number): void {
  if (element === null) return;
  const top = index * row_px;
  if (top < element.scrollTop) element.scrollTop = top;
  else if (top + row_px + head_px > element.scrollTop + element.clientHeight) element.scrollTop = top + row_px + head_px - element.clientHeight;
}

export function Table<Row>(props: Props<Row>) {
  const { rows: all, idOf, selected, select, open } = props;
  const { box, view } = useView();
  const [pointer, setPointer] = useState(false);
  const [focus, setFocus] = useState(false);
  const { rows, gone, waiting, held, release } = useHeld(props, pointer || focus || selected !== "" || view.scroll > 0);
  const columns = useMemo(
    () => props.columns.filter((column) => column.narrow || (column.least ?? usual_px) <= view.width),
    [props.columns, view.width],
  );
  const at = rows.findIndex((row) => idOf(row) === selected);
  const { first, end } = windowOf(view.scroll, view.height, row_px, rows.length);
  const name = props.label.replace(/\W/gu, "");

  const goTo = (index: number): void => {
    const row = rows[index];
    if (row === undefined) return;
    select(idOf(row));
    reveal(box.current, index);
  };
  const step = (key: string): boolean => {
    const to = moved(key, at, rows.length, Math.max(1, Math.floor(view.height / row_px) - 2));
    if (to !== undefined) goTo(to);
    return to !== undefined;
  };
  useRowKeys(step, release);
  const { nearEnd } = props;
  useEffect(() => {
    if (end >= all.length - 20 && all.length > 0 && view.scroll > 0) nearEnd?.();
  }, [end, all.length, nearEnd, view.scroll]);

  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts: Record<string, () => void> = { Escape: () => select("") };
    if (selected !== "" && open !== undefined) acts.Enter = () => open(selected);
    const act = acts[event.key];
    act?.();
    const handled = act !== undefined || step(event.key);
    if (handled) event.preventDefault();
  };

  return (
    <div class="table">
      <div class="held" hidden={!held || waiting === 0}>
        <button type="button" onClick={release}>Order held, {count(waiting)} new · Space resumes</button>
      </div>
      <div class="scroll" ref={box} onPointerEnter={(event) => event.pointerType === "mouse" && setPointer(true)} onPointerLeave={() => setPointer(false)}>
        <table
          role="grid" tabIndex={0} aria-label={props.label} aria-rowcount={(props.total ?? all.length) + 1} aria-colcount={columns.length}
          aria-activedescendant={at >= first && at < end ? `${name}-${at}` : undefined}
          onFocusCapture={() => setFocus(true)} onBlurCapture={() => setFocus(false)} onKeyDown={onKey}
        >
          <colgroup>{columns.map((column) => <col key={column.key} style={column.width === "" ? {} : { width: column.width }} />)}</colgroup>
          <Head columns={columns} order={props.order} />
          <Body {...props} name={name} rows={rows} first={first} end={end} columns={columns} gone={gone} />
        </table>
        {rows.length === 0 && props.empty}
      </div>
    </div>
  );
}
