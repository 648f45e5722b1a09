/** What we use of heic-decode, which comes without types. */
declare module 'heic-decode' {
  interface HeicPicture {
    readonly width: number;
    readonly height: number;
    /** data is (height, width, 4) RGBA. */
    decode(): Promise<{ width: number; height: number; data: Uint8ClampedArray }>;
  }
  const heicDecode: {
    all(input: { buffer: Uint8Array }): Promise<HeicPicture[]>;
  };
  export default heicDecode;
}
