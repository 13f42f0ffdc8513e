// How many columns the tiles of a room stand in. Pure arithmetic; it never measures the page.

export interface Grid {
  columns: number;
  rows: number;
}

/** Width to height of a tile: a camera's 4:3, cut a little. */
const TILE_RATIO = 4 / 3;
/** Beyond these a camera's picture would lose heads or shoulders. */
const TILE_RATIO_MIN = 1;
const TILE_RATIO_MAX = 16 / 9;

/** Of a window that scrolls, what the tiles may fill: the rest is the header, the words and the toolbar. */
const WINDOW_SHARE = 0.55;

/**
 * The height to choose a grid for on a page that scrolls, from the window's. There the tiles make their
 * own height: a grid chosen by that would stand in one column for ever, with most faces below the window.
 */
export function heightToFill(windowHeight: number): number {
  return windowHeight * WINDOW_SHARE;
}

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

/** The part of the space that the grid takes so that no tile is too tall or too wide. */
export function fitGrid(grid: Grid, width: number, height: number, gap: number): { width: number; height: number } {
  const gapsAcross = gap * (grid.columns - 1);
  const gapsDown = gap * (grid.rows - 1);
  const across = Math.max(0, width - gapsAcross) / grid.columns;
  const down = Math.max(0, height - gapsDown) / grid.rows;
  return {
    width: Math.min(across, down * TILE_RATIO_MAX) * grid.columns + gapsAcross,
    height: Math.min(down, across / TILE_RATIO_MIN) * grid.rows + gapsDown,
  };
}
