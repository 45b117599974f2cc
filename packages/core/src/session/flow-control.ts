/** One promise, shared by every writer that runs into back-pressure, until the transport has drained. */
export class FlowControl {
  #drained: Promise<void> | undefined;
  #release: (() => void) | undefined;

  /** What a writer waits for after its write was taken with the status `"buffered"`. */
  wait(): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      this.#release = resolve;
    });
    return this.#drained;
  }

  /** Lets every writer go on: the transport has drained, or there is nobody left to write to. */
  release(): void {
    this.#release?.();
    this.#drained = undefined;
    this.#release = undefined;
  }
}
