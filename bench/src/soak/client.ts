/** The process of a soak that plays the clients. */
import { answerQuestions } from "../processes/answer-questions.js";
import { Population, type PopulationOptions } from "./population.js";
import { type Figures, Tally } from "./tally.js";

export interface SoakClientAnswers {
  /** Resolves when all clients have come, a few at a time. */
  arrive(options: PopulationOptions): Promise<void>;
  /** Resolves when they have all left. */
  leave(): Promise<void>;
  /** Of all clients that there have been. */
  figures(): Figures;
}

const tally = new Tally();
let population: Population | undefined;

answerQuestions<SoakClientAnswers>({
  arrive: (options) => {
    population = new Population(options, tally);
    return population.arrive();
  },
  leave: async () => population?.leave(),
  figures: () => tally.figures,
});
