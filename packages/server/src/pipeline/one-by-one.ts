/** Runs pieces of work one after another; one that fails does not stop the next. */
export const createOneByOne = () => {
  let turn: Promise<unknown> = Promise.resolve();
  return <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };
};

export type OneByOne = ReturnType<typeof createOneByOne>;
