"""NeMo data-designer: the prompts as a seed data set, one text column."""

import os

from measuring import MODEL, measure, read_work


def main() -> None:
    """Ask everything."""
    work = read_work()
    os.environ.update(NEMO_TELEMETRY_ENABLED="false", DATA_DESIGNER_HOME=str(work.folder))
    import pandas
    from data_designer import config as dd
    from data_designer.interface import DataDesigner

    work.folder.mkdir(parents=True, exist_ok=True)
    seeds = work.folder / "seeds.parquet"
    pandas.DataFrame(work.prompts, columns=["system", "user"]).to_parquet(seeds)
    asked = dd.ChatCompletionInferenceParams(
        max_parallel_requests=work.concurrency, temperature=0.8, max_tokens=512
    )
    model = dd.ModelConfig(
        alias="teacher",
        model=MODEL,
        provider="mock",
        inference_parameters=asked,
        skip_health_check=True,
    )
    builder = dd.DataDesignerConfigBuilder(model_configs=[model])
    builder.with_seed_dataset(dd.LocalFileSeedSource(path=str(seeds)))
    builder.add_column(
        dd.LLMTextColumnConfig(
            name="reply",
            model_alias="teacher",
            system_prompt="{{ system }}",
            prompt="{{ user }}",
        )
    )
    designer = DataDesigner(
        artifact_path=work.folder / "artifacts",
        model_providers=[dd.ModelProvider(name="mock", endpoint=work.base_url, api_key="none")],
    )
    measure(lambda: rows_of(designer.create(builder, num_records=len(work.prompts))))


def rows_of(result: object) -> int:
    """Return the number of rows that were made."""
    return len(result.load_dataset())  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
