import { Component, type ComponentChild, type ComponentType, h } from "preact";

/** A component that is drawn again only when one of its properties is another. */
export const memo = <P extends object>(Inner: ComponentType<P>): ComponentType<P> =>
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      return !areSame(this.props, next);
    }
    override render(props: P): ComponentChild {
      return h(Inner, props);
    }
  };

const areSame = (one: object, other: object): boolean => {
  const ofOne = Object.entries(one);
  const values = new Map(Object.entries(other));
  return (
    ofOne.length === values.size &&
    ofOne.every(([name, value]) => values.has(name) && Object.is(values.get(name), value))
  );
};
