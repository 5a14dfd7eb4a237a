/** Replaces a state by a newly loaded one, while events change it. */
export class Refresh {
  /** Call this for each event: `applyAgain` is called once more after a load that is under way,
   * because the event may be newer than its answer. */
  record(applyAgain) {
    this.meanwhile?.push(applyAgain);
  }

  /** Calls `apply` with what `request` resolves to, unless a newer load has begun by then. */
  async load(request, apply) {
    const meanwhile = [];
    this.meanwhile = meanwhile;
    const isNewest = () => this.meanwhile === meanwhile;
    try {
      const answer = await request();
      if (!isNewest()) return;
      apply(answer);
    } finally {
      if (isNewest()) this.meanwhile = null;
    }
    for (const applyAgain of meanwhile) applyAgain();
  }
}
