/**
 * The frame of a picture: no background, and colours that can be read on white and on black, so that it goes with any page.
 * What a viewer prefers is not asked: a page may be dark where its pictures are told that light is preferred.
 */
export function svgPage(width: number, height: number, title: string, content: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>${escapeXml(title)}</title>
<style>
text { fill: #747d87 } .ours { fill: #2f81f7 } .theirs { fill: #98a1ab }
.line { fill: none; stroke-width: 2 } .ours-line { stroke: #2f81f7 } .theirs-line { stroke: #98a1ab }
.axis { stroke: #98a1ab; stroke-opacity: 0.5 }
</style>
${content.join('\n')}
</svg>
`;
}

export function svgText(x: number, y: number, text: string, attributes = ''): string {
  return `<text x="${x}" y="${y}"${attributes && ` ${attributes}`}>${escapeXml(text)}</text>`;
}

function escapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, character => names[character]!);
}
