// What kind of file some bytes are: by their first bytes, as the hosts of result files often call everything a
// stream of octets. Knows the kinds that models give and take, and says nothing of any other.

/** The longest signature ends here. */
const lookedAtBytes = 64;

const extensions: Readonly<Record<string, string>> = {
  'image/png': '.png',
  'image/jpeg': '.jpg',
  'image/webp': '.webp',
  'image/gif': '.gif',
  'video/mp4': '.mp4',
  'video/webm': '.webm',
  'video/quicktime': '.mov',
  'video/x-matroska': '.mkv',
  'audio/mpeg': '.mp3',
  'audio/wav': '.wav',
  'audio/x-wav': '.wav',
  'audio/ogg': '.ogg',
  'audio/mp4': '.m4a',
  'audio/x-m4a': '.m4a',
  'audio/aac': '.aac',
};

/** With its dot; nothing for a type that is not known. Parameters of the type do not count. */
export function extensionOf(mediaType: string): string {
  const [type = ''] = mediaType.split(';');
  return extensions[type.trim().toLowerCase()] ?? '';
}

/** What stands behind `ftyp` where it is no plain MP4. */
const brands: Readonly<Record<string, string>> = {
  'M4A ': 'audio/mp4',
  'M4B ': 'audio/mp4',
  'qt  ': 'video/quicktime',
  avif: 'image/avif',
  heic: 'image/heic',
};

/** The media type that the first bytes show; undefined when they show none we know. */
export function sniffMediaType(bytes: Uint8Array): string | undefined {
  // One character for each byte.
  const head = Buffer.from(bytes.subarray(0, lookedAtBytes)).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (/^GIF8[79]a/.test(head)) return 'image/gif';
  if (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) return 'image/webp';
  if (head.startsWith('RIFF') && head.startsWith('WAVE', 8)) return 'audio/wav';
  if (head.startsWith('OggS')) return 'audio/ogg';
  if (head.startsWith('ftyp', 4)) return brands[head.slice(8, 12)] ?? 'video/mp4';
  // EBML, whose document type says which kind.
  if (head.startsWith('\x1aE\xdf\xa3')) return head.includes('webm') ? 'video/webm' : 'video/x-matroska';
  return head.startsWith('ID3') || isMpegAudioFrame(bytes) ? 'audio/mpeg' : undefined;
}

/** Eleven set bits, then a version and a layer that exist (AAC says layer 0), a bit rate and a sampling rate. */
function isMpegAudioFrame([sync = 0, kind = 0, rates = 0]: Uint8Array): boolean {
  return (
    sync === 0xff &&
    (kind & 0xe0) === 0xe0 &&
    (kind & 0x18) !== 0x08 &&
    (kind & 0x06) !== 0 &&
    (rates & 0xf0) !== 0xf0 &&
    (rates & 0x0c) !== 0x0c
  );
}
