import { configureGlobal } from 'fast-check';

// A mutant is killed by any counterexample: looking for the smallest one takes minutes.
configureGlobal({ endOnFailure: true });
