"""Knows tools of LangChain's integrations that only read: search engines, reference works, news, weather."""

from __future__ import annotations

from collections.abc import Mapping

_COMMUNITY = "langchain_community.tools."

_CLASSES: Mapping[str, frozenset[str]] = {
    "langchain_tavily.tavily_search": frozenset({"TavilySearch"}),
    "langchain_tavily.tavily_extract": frozenset({"TavilyExtract"}),
    "langchain_tavily.tavily_map": frozenset({"TavilyMap"}),
    _COMMUNITY + "tavily_search.tool": frozenset({"TavilySearchResults", "TavilyAnswer"}),
    _COMMUNITY + "arxiv.tool": frozenset({"ArxivQueryRun"}),
    _COMMUNITY + "bing_search.tool": frozenset({"BingSearchRun", "BingSearchResults"}),
    _COMMUNITY + "brave_search.tool": frozenset({"BraveSearch"}),
    _COMMUNITY + "ddg_search.tool": frozenset({"DuckDuckGoSearchRun", "DuckDuckGoSearchResults"}),
    _COMMUNITY + "google_books": frozenset({"GoogleBooksQueryRun"}),
    _COMMUNITY + "google_finance.tool": frozenset({"GoogleFinanceQueryRun"}),
    _COMMUNITY + "google_scholar.tool": frozenset({"GoogleScholarQueryRun"}),
    _COMMUNITY + "google_serper.tool": frozenset({"GoogleSerperRun", "GoogleSerperResults"}),
    _COMMUNITY + "merriam_webster.tool": frozenset({"MerriamWebsterQueryRun"}),
    _COMMUNITY + "openweathermap.tool": frozenset({"OpenWeatherMapQueryRun"}),
    _COMMUNITY + "pubmed.tool": frozenset({"PubmedQueryRun"}),
    _COMMUNITY + "searx_search.tool": frozenset({"SearxSearchRun", "SearxSearchResults"}),
    _COMMUNITY + "semanticscholar.tool": frozenset({"SemanticScholarQueryRun"}),
    _COMMUNITY + "stackexchange.tool": frozenset({"StackExchangeTool"}),
    _COMMUNITY + "wikidata.tool": frozenset({"WikidataQueryRun"}),
    _COMMUNITY + "wikipedia.tool": frozenset({"WikipediaQueryRun"}),
    _COMMUNITY + "wolfram_alpha.tool": frozenset({"WolframAlphaQueryRun"}),
    _COMMUNITY + "yahoo_finance_news": frozenset({"YahooFinanceNewsTool"}),
}
"""By module, in langchain-tavily 0.2 and langchain-community 0.4."""


def only_reads(tool: object) -> bool:
    """Whether a tool is one of these, and nobody's own kind of one, and asks by a client of its package."""
    cls = type(tool)
    client = type(getattr(tool, "api_wrapper", None))
    own = client is not type(None) and client.__module__.partition(".")[0] != cls.__module__.partition(".")[0]
    return cls.__qualname__ in _CLASSES.get(cls.__module__, ()) and not own
