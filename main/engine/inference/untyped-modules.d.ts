/** What we use of packages whose own types are missing or don't resolve. */

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

// Its declarations import each other without extensions, which Node's module resolution refuses.
declare module '@huggingface/tokenizers' {
  export class Tokenizer {
    /** @param tokenizer,config the parsed tokenizer.json and tokenizer_config.json. */
    constructor(tokenizer: unknown, config: unknown);
    /** @param options.add_special_tokens true where it isn't said. */
    encode(
      text: string,
      options?: { add_special_tokens?: boolean },
    ): { ids: number[]; tokens: string[]; attention_mask: number[] };
    decode(ids: number[], options?: { skip_special_tokens?: boolean }): string;
    token_to_id(token: string): number | undefined;
  }
}
