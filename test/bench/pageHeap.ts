import type { Browser, CDPSession, Page } from 'playwright-core';

/** What a page holds when all garbage is collected. */
export interface Held {
  heapMb: number;
  /** Of its shared worker. */
  workerMb: number;
  nodes: number;
  listeners: number;
}

interface Counters {
  nodes: number;
  jsEventListeners: number;
}

interface Usage {
  usedSize: number;
}

const megabyte = 2 ** 20;

/** Reads what a page and its shared worker hold, by Chromium's debugger. */
export class PageHeap {
  readonly #page: CDPSession;
  readonly #worker: WorkerSession;

  private constructor(page: CDPSession, worker: WorkerSession) {
    this.#page = page;
    this.#worker = worker;
  }

  static async of(browser: Browser, page: Page): Promise<PageHeap> {
    const session = await page.context().newCDPSession(page);
    return new PageHeap(session, await WorkerSession.of(await browser.newBrowserCDPSession()));
  }

  async held(): Promise<Held> {
    // What finalizers of the first collection let go, the second one frees.
    for (let times = 0; times < 2; times += 1) {
      await this.#page.send('HeapProfiler.collectGarbage');
      await this.#worker.send('HeapProfiler.collectGarbage');
    }
    const page = (await this.#page.send('Runtime.getHeapUsage')) as Usage;
    const worker = await this.#worker.send<Usage>('Runtime.getHeapUsage');
    const { nodes, jsEventListeners } = (await this.#page.send(
      'Memory.getDOMCounters',
    )) as Counters;
    return {
      heapMb: page.usedSize / megabyte,
      workerMb: worker.usedSize / megabyte,
      nodes,
      listeners: jsEventListeners,
    };
  }
}

/** The debugger of the one shared worker. Playwright has no session for it. */
class WorkerSession {
  readonly #browser: CDPSession;
  readonly #sessionId: string;
  #lastId = 0;

  private constructor(browser: CDPSession, sessionId: string) {
    this.#browser = browser;
    this.#sessionId = sessionId;
  }

  static async of(browser: CDPSession): Promise<WorkerSession> {
    const { targetInfos } = await browser.send('Target.getTargets');
    const worker = targetInfos.find(({ type }) => type === 'shared_worker');
    if (!worker) throw new Error('the page has no shared worker');
    const { targetId } = worker;
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: false });
    return new WorkerSession(browser, sessionId);
  }

  send<Answer = object>(method: string): Promise<Answer> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const take = ({ sessionId, message }: { sessionId: string; message: string }) => {
        const answer = JSON.parse(message) as { id?: number; result: Answer; error?: object };
        if (sessionId !== this.#sessionId || answer.id !== id) return;
        this.#browser.off('Target.receivedMessageFromTarget', take);
        if (answer.error) reject(new Error(`${method}: ${JSON.stringify(answer.error)}`));
        else resolve(answer.result);
      };
      this.#browser.on('Target.receivedMessageFromTarget', take);
      this.#browser
        .send('Target.sendMessageToTarget', {
          sessionId: this.#sessionId,
          message: JSON.stringify({ id, method }),
        })
        .catch(reject);
    });
  }
}
