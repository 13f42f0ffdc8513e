// How many columns the tiles of a room stand in. Pure arithmetic; it never measures the page.

export interface Grid {
  columns: number;
  rows: number;
}

/** Width to height of a tile: a camera's 4:3, cut a little. */
const TILE_RATIO = 4 / 3;

/** The grid in which `count` tiles of one shape are largest. Sizes in CSS pixels. */
export function chooseGrid(count: number, width: number, height: number, gap: number): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, count) };
  let bestWidth = 0;
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(Math.max(1, count) / columns);
    const byWidth = (width - gap * (columns - 1)) / columns;
    const byHeight = ((height - gap * (rows - 1)) / rows) * TILE_RATIO;
    const tile = Math.min(byWidth, byHeight);
    if (tile > bestWidth) {
      best = { columns, rows };
      bestWidth = tile;
    }
  }
  return best;
}
