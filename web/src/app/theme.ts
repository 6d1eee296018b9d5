import { createTheme, type MantineColorsTuple } from "@mantine/core";

/** A calm teal for what we do ourselves; red, orange, blue and violet have meanings on the lists. */
const bell: MantineColorsTuple = [
  "#e8f7f5",
  "#d3ebe8",
  "#a6d7d0",
  "#76c2b8",
  "#4fb0a4",
  "#36a597",
  "#249f90",
  "#0f766e",
  "#0b6b63",
  "#005a53",
];

export const theme = createTheme({
  primaryColor: "bell",
  // In the dark too: white on a brighter one is too pale to read.
  primaryShade: 7,
  colors: { bell },
  defaultRadius: "md",
  fontFamily:
    'Inter, "Segoe UI", system-ui, -apple-system, Roboto, "Helvetica Neue", Arial, sans-serif',
  headings: { fontWeight: "650" },
  cursorType: "pointer",
  autoContrast: true,
  respectReducedMotion: true,
});
