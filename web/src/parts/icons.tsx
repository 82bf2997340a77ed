// Icons of 16 px, drawn as strokes of the text's colour; always beside a name or a label.

const paths = {
  copy: "M5.5 5.5h7v8h-7zM3.5 10.5v-8h7",
  widen: "M9 3h4v4M13 3L8.5 7.5M7 13H3V9M3 13l4.500-4.500",
  narrow: "M13 3L9 7M9 3.500V7h3.500M3 13l4-4M7 12.500V9H3.500",
  close: "M4 4l8 8M12 4l-8 8",
  auto: "M8 2.500a5.500 5.500 0 1 0 0 11zM8 2.500a5.500 5.500 0 0 1 0 11",
  dark: "M12.800 9.600A5.300 5.300 0 0 1 6.400 3.200a5.300 5.300 0 1 0 6.400 6.400z",
  light: "M8 5a3 3 0 1 0 0 6a3 3 0 0 0 0-6zM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  mark: "M1 8h3l2-5 4 10 2-5h3",
};

export type IconName = keyof typeof paths;

export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d={paths[name]} fill="none" stroke="currentColor" stroke-width="1.3" /></svg>
);
