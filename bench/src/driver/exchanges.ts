import type { Dialect } from "../servers/dialect.js";
import { paths } from "../servers/site.js";
import type { Exchange } from "./exchange-load.js";
import { clientFrame, opcode, serverFrame } from "./frame.js";
import { message, padded } from "./messages.js";

/** Messages that go out in one write, before the first answer is waited for. */
const burst = 64;

/** Of 64 KiB, which leave room for few in the buffers on the way. */
const binaryBurst = 4;
const binarySize = 64 * 1024;

/** A number per place in a burst, so that an answer in the wrong place is noticed. */
function numbered(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

export function textEcho({ say = same }: Dialect): Exchange {
  const texts = numbered(burst).map(message);
  return {
    path: paths.echo,
    name: `the echo of ${burst} messages`,
    messages: burst,
    question: framesOfClient(
      opcode.text,
      texts.map((text) => say(text, paths.echo)),
    ),
    answer: framesOfServer(
      opcode.text,
      texts.map((text) => say(text, paths.echo)),
    ),
  };
}

export function jsonEcho({ say = same }: Dialect): Exchange {
  // The same number of digits in all of them, and so the same length.
  const content = (index: number): string => padded(`"n":${100 + index},"text":"`, '"}').slice(0, -1);
  const questions = numbered(burst).map((index) => `{"type":"echo",${content(index)}}`);
  const answers = numbered(burst).map((index) => `{"type":"echoed",${content(index)}}`);
  return {
    path: paths.json,
    name: `the answers to ${burst} objects`,
    messages: burst,
    question: framesOfClient(
      opcode.text,
      questions.map((text) => say(text, paths.json)),
    ),
    answer: framesOfServer(
      opcode.text,
      answers.map((text) => say(text, paths.json)),
    ),
  };
}

export function binaryEcho(): Exchange {
  const payloads = numbered(binaryBurst).map((index) => Buffer.alloc(binarySize, `binary ${index} `));
  return {
    path: paths.echo,
    name: `the echo of ${binaryBurst} binary messages`,
    messages: binaryBurst,
    question: framesOfClient(opcode.binary, payloads),
    answer: framesOfServer(opcode.binary, payloads),
  };
}

function framesOfClient(code: number, messages: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    messages.map((message, index) => clientFrame(code, Buffer.from(message), Buffer.from([0x37, 0xfa, 0x21, index]))),
  );
}

function framesOfServer(code: number, messages: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(messages.map((message) => serverFrame(code, Buffer.from(message))));
}

function same(text: string): string {
  return text;
}
