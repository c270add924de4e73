/**
 * Builds a Dockerfile without Docker: runs its steps in folders that stand for file systems. It knows the
 * instructions that ours has, and refuses others. What Docker adds (layers, caches, a registry) is not there.
 */

import { cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Copy, DockerfileParser, type Instruction } from 'dockerfile-ast';
import { execute } from './chroot.js';
import { contextFiles } from './context.js';

/** An image: its file system as a folder, and how its containers run. */
export interface Image {
  root: string;
  /** Of the base image. */
  base: string;
  env: Record<string, string>;
  labels: Record<string, string>;
  folder: string;
  user: string;
  volumes: string[];
  ports: string[];
  signal: string;
  entrypoint: string[];
  healthcheck: string[];
}

export interface BuildOptions {
  dockerfile: string;
  /** The text of `.dockerignore`. */
  ignore: string;
  /** The folder that is sent to the builder. */
  context: string;
  /** Makes the file system of a base image at `root`. */
  makeBase: (name: string, root: string) => Promise<void>;
  /** An empty folder. */
  scratch: string;
  /** What the machine's own npm and apt need, besides what the Dockerfile sets. */
  network: Record<string, string>;
}

/** Runs all steps, of all stages in order. Resolves with the last stage. */
export async function buildImage(options: BuildOptions): Promise<Image> {
  const stages = new Map<string, Image>();
  let image: Image | undefined;
  for (const instruction of DockerfileParser.parse(options.dockerfile).getInstructions()) {
    if (instruction.getKeyword() === 'FROM') image = await begin(instruction, stages, options);
    else if (image) await step(image, instruction, stages, options);
  }
  if (!image) throw new Error('the Dockerfile has no FROM');
  return image;
}

async function begin(instruction: Instruction, stages: Map<string, Image>, options: BuildOptions) {
  const [base = '', , name = `${stages.size}`] = wordsOf(instruction);
  const root = join(options.scratch, `stage-${stages.size}`);
  await options.makeBase(base, root);
  const image: Image = {
    ...{ root, base, env: {}, labels: {}, folder: '/', user: '0:0', volumes: [], ports: [] },
    ...{ signal: 'SIGTERM', entrypoint: [], healthcheck: [] },
  };
  stages.set(name, image);
  return image;
}

async function step(
  image: Image,
  instruction: Instruction,
  stages: Map<string, Image>,
  options: BuildOptions,
): Promise<void> {
  const keyword = instruction.getKeyword() ?? '';
  if (keyword === 'RUN') return runStep(image, contentOf(instruction), options);
  if (keyword === 'COPY') return copyStep(image, instruction, stages, options);
  const [first = ''] = wordsOf(instruction);
  if (keyword === 'WORKDIR') await mkdir(join(image.root, first), { recursive: true });
  note(image, keyword, first, instruction);
}

/** What an instruction says about containers of the image. */
function note(image: Image, keyword: string, first: string, instruction: Instruction): void {
  const content = contentOf(instruction);
  if (keyword === 'WORKDIR') image.folder = first;
  else if (keyword === 'ENV') Object.assign(image.env, assignmentsIn(content));
  else if (keyword === 'LABEL') Object.assign(image.labels, assignmentsIn(content));
  else if (keyword === 'USER') image.user = first;
  else if (keyword === 'VOLUME') image.volumes.push(first);
  else if (keyword === 'EXPOSE') image.ports.push(first);
  else if (keyword === 'STOPSIGNAL') image.signal = first;
  else if (keyword === 'ENTRYPOINT') image.entrypoint = JSON.parse(content);
  else if (keyword === 'HEALTHCHECK')
    image.healthcheck = JSON.parse(content.replace(/^.*?CMD /s, ''));
  else if (keyword !== 'ARG') throw new Error(`${keyword} is not known here`);
}

async function runStep(image: Image, command: string, { network }: BuildOptions): Promise<void> {
  const env = { ...network, ...image.env };
  const { code, text } = await execute(image, ['/bin/sh', '-c', command], {
    env,
    user: image.user,
  });
  if (code !== 0) throw new Error(`RUN ${command}: exit ${code}\n${text.slice(-4000)}`);
}

/** Copies files of the context, or of an earlier stage. They belong to root, as with Docker. */
async function copyStep(
  image: Image,
  instruction: Instruction,
  stages: Map<string, Image>,
  { context, ignore }: BuildOptions,
): Promise<void> {
  const from = instruction instanceof Copy ? instruction.getFromFlag()?.getValue() : undefined;
  const words = wordsOf(instruction);
  const target = join(image.root, image.folder, words.at(-1) ?? '');
  if (typeof from === 'string') {
    const source = stages.get(from)?.root;
    if (source === undefined) throw new Error(`there is no stage ${from}`);
    return cp(join(source, words[0] ?? ''), join(image.root, words.at(-1) ?? ''), copying);
  }
  const files = await contextFiles(context, ignore);
  for (const source of words.slice(0, -1)) {
    const found = files.filter((path) => source === '.' || path === source);
    if (found.length === 0) throw new Error(`COPY ${source}: there is no such file in the context`);
    for (const path of found) {
      const to = join(target, source === '.' ? path : (path.split('/').at(-1) ?? ''));
      await mkdir(dirname(to), { recursive: true });
      await rm(to, { force: true });
      await cp(join(context, path), to);
    }
  }
}

const copying = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true };

const contentOf = (instruction: Instruction): string => instruction.getArgumentsContent() ?? '';

const wordsOf = (instruction: Instruction): string[] =>
  instruction
    .getArguments()
    .map((argument) => argument.getValue())
    .filter((word) => !word.startsWith('--'));

/** `NAME=value NAME="some value"`. */
const assignmentsIn = (content: string): Record<string, string> =>
  Object.fromEntries(
    [...content.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)].map(([, name = '', quoted, plain]) => [
      name,
      quoted ?? plain ?? '',
    ]),
  );
