/**
 * Captions and tags as an XMP packet in a file of its own: dc:description and dc:subject, as digiKam, darktable,
 * Lightroom and exiftool read them (XMP Specification Part 1, 2012, serialised as in its section 7).
 */
import { createHash } from 'node:crypto';

export interface SidecarContent {
  /** Empty for none. */
  readonly caption: string;
  readonly tags: readonly string[];
  /** Milliseconds since 1970: when it was written out. */
  readonly at: number;
}

const tool = 'Afterimage';
/** Stands in the packet while its digest is computed. */
const noDigest = '0'.repeat(64);

/** @returns UTF-8 text of the sidecar. */
export function writeSidecar({ caption, tags, at }: SidecarContent): string {
  const description =
    caption === ''
      ? ''
      : `   <dc:description>
    <rdf:Alt>
     <rdf:li xml:lang="x-default">${escapeXml(caption)}</rdf:li>
    </rdf:Alt>
   </dc:description>
`;
  const subject =
    tags.length === 0
      ? ''
      : `   <dc:subject>
    <rdf:Bag>
${tags.map((tag) => `     <rdf:li>${escapeXml(tag)}</rdf:li>\n`).join('')}    </rdf:Bag>
   </dc:subject>
`;
  const text = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="${tool}">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:afterimage="urn:afterimage:sidecar:1">
   <xmp:CreatorTool>${tool} (captions and tags)</xmp:CreatorTool>
   <xmp:MetadataDate>${new Date(at).toISOString()}</xmp:MetadataDate>
   <afterimage:Digest>${noDigest}</afterimage:Digest>
${description}${subject}  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`;
  return text.replace(noDigest, digestOf(text));
}

/**
 * Whether a sidecar is one of ours that nobody has changed since: only then may it be replaced. Programs that add to
 * a sidecar (a rating, a crop) leave xmp:CreatorTool as it is, so the digest decides.
 */
export function isOurSidecar(text: string): boolean {
  const digest = /<afterimage:Digest>([0-9a-f]{64})<\/afterimage:Digest>/.exec(text)?.[1];
  return (
    digest !== undefined &&
    text.includes(`<xmp:CreatorTool>${tool} `) &&
    digestOf(text.replace(digest, noDigest)) === digest
  );
}

function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** Characters that XML 1.0 does not allow at all are left out. */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/\r/g, '&#xD;');
}
