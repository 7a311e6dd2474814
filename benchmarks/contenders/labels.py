"""distilabel: rows from memory, one text generation step, batches as large as the concurrency."""

import os

from measuring import MODEL, Work, measure, read_work


def main() -> None:
    """Ask everything."""
    work = read_work()
    os.environ.update(HF_HUB_OFFLINE="1", HF_HOME=str(work.folder))
    measure(lambda: generate(work))


def generate(work: Work) -> int:
    """Return the number of rows."""
    from distilabel.models.llms import OpenAILLM
    from distilabel.pipeline import Pipeline
    from distilabel.steps import LoadDataFromDicts
    from distilabel.steps.tasks import TextGeneration

    rows = [{"system_prompt": system, "instruction": user} for system, user in work.prompts]
    with Pipeline(name="bench", cache_dir=str(work.folder)) as pipeline:
        load = LoadDataFromDicts(data=rows, batch_size=work.concurrency)
        ask = TextGeneration(
            llm=OpenAILLM(
                model=MODEL,
                base_url=work.base_url,
                api_key="none",
                generation_kwargs={"temperature": 0.8, "max_new_tokens": 512},
            ),
            input_batch_size=work.concurrency,
        )
        load >> ask
    return len(pipeline.run(use_cache=False)["default"]["train"])


if __name__ == "__main__":
    main()
