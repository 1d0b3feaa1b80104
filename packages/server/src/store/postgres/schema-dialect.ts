import {
  type ColumnDefinitionNode,
  DataTypeNode,
  GeneratedNode,
  type KyselyPlugin,
  OperationNodeTransformer,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  RawNode,
  type RootOperationNode,
  type UnknownRow,
} from "kysely";

/**
 * Makes the tables that SQLite has from the same migrations: texts that sort by their bytes whatever the
 * database's collation, whole numbers of 64 bits, and counted keys.
 */
export class SqliteLikeSchema implements KyselyPlugin {
  readonly #columns = new ColumnTransformer();

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    return this.#columns.transformNode(node, queryId);
  }

  transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return Promise.resolve(result);
  }
}

class ColumnTransformer extends OperationNodeTransformer {
  protected override transformColumnDefinition(
    ...[node, queryId]: Parameters<OperationNodeTransformer["transformColumnDefinition"]>
  ): ColumnDefinitionNode {
    const column = super.transformColumnDefinition(node, queryId);
    const { autoIncrement, ...rest } = column;
    return {
      ...rest,
      dataType: alike(column.dataType),
      ...(autoIncrement && { generated: GeneratedNode.create({ identity: true, always: true }) }),
    };
  }
}

const alike = (type: ColumnDefinitionNode["dataType"]): ColumnDefinitionNode["dataType"] => {
  if (!DataTypeNode.is(type)) {
    return type;
  }
  if (type.dataType === "integer") {
    return DataTypeNode.create("bigint");
  }
  return type.dataType === "text" ? RawNode.createWithSql('text collate "C"') : type;
};
