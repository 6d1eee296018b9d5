/** A picture of the server's (SVG) as the source of an image: so nothing in it can run. */
export function picture(svg: string): string {
  // Inside a page it needs no namespace; as a picture of its own it does.
  const own = svg.includes("xmlns=")
    ? svg
    : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
  return `data:image/svg+xml;utf8,${encodeURIComponent(own)}`;
}
