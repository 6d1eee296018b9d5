/**
 * A table of any number of rows, of which only those in sight are in the document.
 *
 * A row is drawn anew only when its own value is another one, so a feed that changes three rows of
 * eight hundred costs three rows. Hence cells are made by columns that stay the same objects.
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, memo, type ReactNode, useCallback, useEffect, useRef } from "react";
import classes from "./virtual-table.module.css";

export interface Column<Row> {
  key: string;
  head: ReactNode;
  /** A track of a CSS grid. */
  width: string;
  align?: "end";
  cell: (row: Row, id: string) => ReactNode;
}

export type Entry<Row> = readonly [id: string, row: Row];

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  entries: readonly Entry<Row>[];
  rowHeight: number;
  /** Instead of rows, when there are none. */
  empty: ReactNode;
  /** A colour at a row's beginning; what it means is told in the row by icon and text too. */
  mark?: (row: Row) => string | undefined;
  onOpen?: (id: string) => void;
  /** The end is in sight: time to load more. */
  onEnd?: () => void;
}

export function VirtualTable<Row>(props: Props<Row>) {
  const { label, columns, entries, rowHeight, empty, mark, onOpen, onEnd } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => entries[index]?.[0] ?? index,
    overscan: 6,
  });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? -1;
  const atEnd = entries.length > 0 && last >= entries.length - 1;
  useEffect(() => {
    if (atEnd) onEnd?.();
  }, [atEnd, onEnd]);
  const tracks = columns.map((column) => column.width).join(" ");
  return (
    <div className={classes.scroller} ref={scroller} tabIndex={0}>
      <div
        role="table"
        aria-label={label}
        aria-rowcount={entries.length + 1}
        aria-colcount={columns.length}
        className={classes.table}
      >
        <div role="rowgroup" className={classes.head}>
          <div role="row" className={classes.row} style={{ gridTemplateColumns: tracks }}>
            {columns.map((column) => (
              <div
                key={column.key}
                role="columnheader"
                className={classes.cell}
                data-align={column.align}
              >
                {column.head}
              </div>
            ))}
          </div>
        </div>
        <div
          role="rowgroup"
          className={classes.body}
          style={{ height: entries.length === 0 ? undefined : virtual.getTotalSize() }}
        >
          {shown.map((item) => {
            const entry = entries[item.index];
            if (entry === undefined) return null;
            return (
              <Line
                key={item.key}
                id={entry[0]}
                row={entry[1]}
                index={item.index}
                start={item.start}
                height={rowHeight}
                tracks={tracks}
                columns={columns as readonly Column<unknown>[]}
                mark={mark as ((row: unknown) => string | undefined) | undefined}
                onOpen={onOpen}
              />
            );
          })}
        </div>
      </div>
      {entries.length === 0 && <div className={classes.empty}>{empty}</div>}
    </div>
  );
}

interface LineProps {
  id: string;
  row: unknown;
  index: number;
  start: number;
  height: number;
  tracks: string;
  columns: readonly Column<unknown>[];
  mark: ((row: unknown) => string | undefined) | undefined;
  onOpen: ((id: string) => void) | undefined;
}

const Line = memo(function Line(props: LineProps) {
  const { id, row, index, start, height, tracks, columns, mark, onOpen } = props;
  const onKey = useCallback(
    (event: KeyboardEvent<HTMLDivElement>) => {
      if (event.code !== "Enter" || event.target !== event.currentTarget) return;
      event.preventDefault();
      onOpen?.(id);
    },
    [onOpen, id],
  );
  const opens =
    onOpen === undefined
      ? {}
      : { tabIndex: 0, onKeyDown: onKey, onDoubleClick: () => onOpen(id), "data-opens": true };
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={`${classes.row} ${classes.line}`}
      style={{
        gridTemplateColumns: tracks,
        height,
        transform: `translateY(${start}px)`,
        borderInlineStartColor: mark?.(row),
      }}
      {...opens}
    >
      {columns.map((column) => (
        <div key={column.key} role="cell" className={classes.cell} data-align={column.align}>
          {column.cell(row, id)}
        </div>
      ))}
    </div>
  );
});
