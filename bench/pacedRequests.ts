/**
 * A process that sends `{ __typename }` at a fixed rate, without waiting for answers, and then tells its parent how long
 * each answer took in milliseconds. Arguments: address, requests per second, seconds.
 */
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

const [url, rate, seconds] = process.argv.slice(2);
const body = JSON.stringify({ query: "{ __typename }" });
const agent = new Agent({ keepAlive: true });

async function answerTime(): Promise<number> {
  const begun = performance.now();
  const sent = request(url!, { method: "POST", agent, headers: { "content-type": "application/json" } }).end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const answer = await text(response);
  const took = performance.now() - begun;
  if (answer.trim() === '{"data":{"__typename":"Query"}}') return took;
  throw new Error(`responsiveness: expected the type of the query, got ${answer}`);
}

const answers: Promise<number>[] = [];
const timer = setInterval(() => answers.push(answerTime()), 1000 / Number(rate));
await new Promise((resolve) => setTimeout(resolve, 1000 * Number(seconds)));
clearInterval(timer);
process.send!(await Promise.all(answers));
process.disconnect();
agent.destroy();
