"""Children in need censuses of every year from 2017 on, made up in that year's shape.

What is known of the shapes: GenderCurrent with 1, 2, 0, 9 in 2021, Sex with M, F, U in 2024 and
later; plan dates are not in the shape of 2021 and are in those of 2024 and later; pre-proceedings
came in 2026. Which year between brought a change was not read, so a source must take both.
"""

from __future__ import annotations

YEARS = range(2017, 2027)


def census(year: int, children: int = 3) -> str:
    """A return with so many children, one case each, that has everything the year's shape has."""
    body = "".join(_child(year, number) for number in range(1, children + 1))
    return (
        f"<Message><Header><CollectionDetails><Collection>CIN</Collection><Year>{year}</Year>"
        f"<ReferenceDate>{year}-03-31</ReferenceDate></CollectionDetails><Source><LEA>201</LEA>"
        f"<DateTime>{year}-05-23T11:14:05</DateTime></Source></Header>"
        f"<Children>{body}</Children></Message>"
    )


def _child(year: int, number: int) -> str:
    before = year - 1
    sex = ("12" if year < 2024 else "MF")[number % 2]
    sex = f"<GenderCurrent>{sex}</GenderCurrent>" if year < 2024 else f"<Sex>{sex}</Sex>"
    born = "ExpectedPersonBirthDate" if number == 3 else "PersonBirthDate"
    true, false = ("true", "false") if year % 2 else ("1", "0")
    factors = ("2A", "3B", "18A" if year < 2021 else "18B", *(("24A",) if year > 2021 else ()))
    given = "".join(f"<AssessmentFactors>{code}</AssessmentFactors>" for code in factors)
    plans = (
        f"<CINPlanDates><CINPlanStartDate>{before}-07-01</CINPlanStartDate></CINPlanDates>"
        if year > 2021
        else ""
    )
    court = (
        "<PreProceedingsandFGDM>"
        f"<PPStartDate>{before}-11-09</PPStartDate><FGDMMeetingOffer>1</FGDMMeetingOffer>"
        "</PreProceedingsandFGDM>"
        if year >= 2026
        else ""
    )
    return (
        f"<Child><ChildIdentifiers><LAchildID>c{number}</LAchildID>"
        f"<{born}>2015-03-2{number}</{born}>{sex}</ChildIdentifiers>"
        "<ChildCharacteristics><Ethnicity>WBRI</Ethnicity></ChildCharacteristics>"
        f"<CINdetails><CINreferralDate>{before}-05-0{number}</CINreferralDate>"
        "<ReferralSource>6</ReferralSource><PrimaryNeedCode>N1</PrimaryNeedCode><Assessments>"
        f"<AssessmentActualStartDate>{before}-05-10</AssessmentActualStartDate>"
        f"<AssessmentAuthorisationDate>{before}-06-10</AssessmentAuthorisationDate>"
        f"<FactorsIdentifiedAtAssessment>{given}</FactorsIdentifiedAtAssessment></Assessments>"
        f"{plans}<Section47><S47ActualStartDate>{before}-08-02</S47ActualStartDate>"
        f"<DateOfInitialCPC>{before}-08-20</DateOfInitialCPC>"
        f"<ICPCnotRequired>{false}</ICPCnotRequired></Section47>"
        f"<ReferralNFA>{true if number == 2 else false}</ReferralNFA><ChildProtectionPlans>"
        f"<CPPstartDate>{before}-08-20</CPPstartDate>"
        "<InitialCategoryOfAbuse>NEG</InitialCategoryOfAbuse>"
        f"<Reviews><CPPreviewDate>{before}-11-20</CPPreviewDate></Reviews>"
        f"</ChildProtectionPlans>{court}</CINdetails></Child>"
    )
