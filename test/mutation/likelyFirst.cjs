const { default: Sequencer } = require('@jest/test-sequencer');

/** Runs first what failed last, because neighboring mutants fail in the same tests, and then what is short. */
module.exports = class extends Sequencer {
  isSorting = false;

  sort(tests) {
    // Called by `allFailedTests` too.
    if (this.isSorting) return tests;
    this.isSorting = true;
    const failed = new Set(this.allFailedTests(tests));
    this.isSorting = false;
    const others = super.sort(tests.filter((test) => !failed.has(test)));
    return [...failed, ...others.reverse()];
  }
};
